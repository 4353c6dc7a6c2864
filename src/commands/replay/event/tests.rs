//! Lines of both kinds become the same events.

use super::*;
