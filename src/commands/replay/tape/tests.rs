//! Whose code was whose.
