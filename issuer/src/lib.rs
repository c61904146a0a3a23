//! A department that issues credentials over OpenID4VCI 1.0.
