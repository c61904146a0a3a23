//! A service that asks for presentations over OpenID4VP 1.0.
