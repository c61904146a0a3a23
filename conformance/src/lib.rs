//! Outside vectors, the table of hostile inputs, frozen formats: tests only.
