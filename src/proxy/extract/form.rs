//! Strict `application/x-www-form-urlencoded`, for bodies and queries.

use std::borrow::Cow;
use std::collections::HashSet;

use percent_encoding::percent_decode;

use super::Unreadable;

/// The value of `wanted`, if it is there. Refused: a key twice, a key that another parser would take for `wanted`,
/// and any key of `foreign`, which belongs elsewhere.
pub(super) fn field<'a>(
    text: &'a [u8],
    wanted: Option<&str>,
    foreign: &(impl Iterator<Item = &'a str> + Clone),
) -> Result<Option<Cow<'a, str>>, Unreadable> {
    let mut value = None;
    let mut keys = HashSet::new();
    for (index, pair) in text.split(|byte| *byte == b'&').enumerate() {
        if MOST_PAIRS <= index {
            return Err(Unreadable::Excessive);
        }
        if pair.is_empty() {
            continue;
        }
        let (key, text) = match pair.iter().position(|byte| *byte == b'=') {
            Some(at) => (decode(&pair[..at])?, decode(&pair[at + 1..])?),
            None => (decode(pair)?, Cow::Borrowed("")),
        };
        if !is_plain(&key) {
            return Err(Unreadable::Form);
        }
        if foreign.clone().any(|name| is_taken_for(&key, name)) {
            return Err(Unreadable::Twice);
        }
        if let Some(wanted) = wanted {
            if key == wanted {
                if value.replace(text).is_some() {
                    return Err(Unreadable::Repeated);
                }
                continue;
            }
            if is_taken_for(&key, wanted) {
                return Err(Unreadable::Repeated);
            }
        }
        // Rails and PHP collect `tags[]=a&tags[]=b` into a list: repetition is what the brackets say.
        if !key.ends_with("[]") && !keys.insert(key) {
            return Err(Unreadable::Repeated);
        }
    }
    Ok(value)
}

/// Decodes percent signs and pluses; refuses what decoders disagree about.
fn decode(text: &[u8]) -> Result<Cow<'_, str>, Unreadable> {
    if text.iter().any(|byte| *byte == b';' || !byte.is_ascii_graphic()) {
        return Err(Unreadable::Form);
    }
    let mut rest = text;
    while let Some(at) = rest.iter().position(|byte| *byte == b'%') {
        let [_, high, low, tail @ ..] = &rest[at..] else { return Err(Unreadable::Form) };
        if !high.is_ascii_hexdigit() || !low.is_ascii_hexdigit() {
            return Err(Unreadable::Form);
        }
        rest = tail;
    }
    if !text.iter().any(|byte| matches!(byte, b'%' | b'+')) {
        return std::str::from_utf8(text).map(Cow::Borrowed).map_err(|_| Unreadable::Form);
    }
    let spaced: Vec<u8> = text.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    let decoded = percent_decode(&spaced).decode_utf8().map_err(|_| Unreadable::Form)?;
    Ok(Cow::Owned(decoded.into_owned()))
}

fn is_plain(key: &str) -> bool {
    key.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'[' | b']'))
}

/// Whether some parser reads `key` as `name`: in another case, as an element of it, or because it turns dots and
/// brackets into underscores and forgets what follows the last bracket, as PHP does.
fn is_taken_for(key: &str, name: &str) -> bool {
    let Some((head, rest)) = key.as_bytes().split_at_checked(name.len()) else { return false };
    let is_alike = head.iter().copied().map(flat).eq(name.bytes().map(flat));
    is_alike && (rest.is_empty() || name.ends_with(']') || matches!(rest.first(), Some(b'[' | b']' | b'.')))
}

fn flat(byte: u8) -> u8 {
    match byte {
        b'.' | b'[' | b']' => b'_',
        byte => byte.to_ascii_lowercase(),
    }
}

const MOST_PAIRS: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    fn phone(text: &str) -> Result<Option<String>, Unreadable> {
        field(text.as_bytes(), Some("phone"), &std::iter::empty()).map(|value| value.map(Cow::into_owned))
    }

    #[test]
    fn the_field_is_found_among_others() {
        assert_eq!(phone("a=1&phone=%2B14155550123&b="), Ok(Some("+14155550123".to_owned())));
        assert_eq!(phone("user[name]=x&phone=1"), Ok(Some("1".to_owned())));
        assert_eq!(phone("a=1"), Ok(None));
    }

    #[test]
    fn what_two_parsers_read_differently_is_refused() {
        for text in
            ["phone=1&phone=2", "phone=1&Phone=2", "phone=1&phone[]=2", "phone[0]=2", "phone=1&phone.x=2", "a=1&a=2"]
        {
            assert_eq!(phone(text), Err(Unreadable::Repeated), "{text}");
        }
        for text in ["a=1;phone=2", "phone=%2", "phone=%zz", "phone=\u{e9}", "+phone=1", "phone%00x=1", "phone=%ff"] {
            assert_eq!(phone(text), Err(Unreadable::Form), "{text}");
        }
    }

    #[test]
    fn a_key_that_php_would_merge_is_refused() {
        for (name, text) in [
            ("phone_number", "phone_number=1&phone.number=2"),
            ("phone_number", "phone_number=1&phone[number=2"),
            ("user[phone]", "user[phone]=1&user[phone]x=2"),
            ("user[phone]", "user[phone]=1&user.phone.=2"),
        ] {
            assert_eq!(field(text.as_bytes(), Some(name), &std::iter::empty()), Err(Unreadable::Repeated), "{text}");
        }
    }

    #[test]
    fn a_field_of_the_body_does_not_belong_into_the_query() {
        let found = field(b"phone=1", None, &["phone"].into_iter());
        assert_eq!(found, Err(Unreadable::Twice));
    }
}
