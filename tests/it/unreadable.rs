//! Bodies that two parsers could read differently are refused; odd but honest ones are not.

use std::sync::LazyLock;

use crate::harness::{SEND, Tollgate, Upstream, json, post};

struct Pair {
    upstream: Upstream,
    tollgate: Tollgate,
}

static PAIR: LazyLock<Pair> = LazyLock::new(|| {
    let upstream = Upstream::friendly();
    let tollgate = Tollgate::lenient(&upstream, "");
    Pair { upstream, tollgate }
});

const JSON: &str = "Content-Type: application/json";
const FORM: &str = "Content-Type: application/x-www-form-urlencoded";

#[test]
fn json_that_parsers_disagree_about_is_refused() {
    let n = "+12045550100";
    let nested = |depth: usize| format!(r#"{{"phone":"{n}","x":{}{}}}"#, "[".repeat(depth), "]".repeat(depth));
    let many: String = (0..1001).map(|index| format!(r#""k{index}":1,"#)).collect();
    let elements: String = (0..1100).map(|_| "1,").collect();
    let table: Vec<(&str, Vec<u8>)> = vec![
        ("duplicate", format!(r#"{{"phone":"{n}","phone":"+12045550101"}}"#).into()),
        ("same value twice", format!(r#"{{"phone":"{n}","phone":"{n}"}}"#).into()),
        ("escaped duplicate", format!(r#"{{"phone":"{n}","\u0070hone":"+12045550101"}}"#).into()),
        ("case twin", format!(r#"{{"phone":"{n}","PHONE":"+12045550101"}}"#).into()),
        ("only a case twin", format!(r#"{{"Phone":"{n}"}}"#).into()),
        ("long s twin elsewhere", r#"{"phone":"+12045550100","sms":1,"\u017fms":2}"#.into()),
        ("kelvin twin elsewhere", "{\"phone\":\"+12045550100\",\"key\":1,\"\u{212a}ey\":2}".into()),
        ("nested duplicate", format!(r#"{{"phone":"{n}","x":{{"a":1,"a":2}}}}"#).into()),
        ("array", format!(r#"{{"phone":["{n}"]}}"#).into()),
        ("object", format!(r#"{{"phone":{{"value":"{n}"}}}}"#).into()),
        ("integer", br#"{"phone":12045550100}"#.into()),
        ("float", br#"{"phone":12045550100.0}"#.into()),
        ("exponent", br#"{"phone":12045550100e0}"#.into()),
        ("true", br#"{"phone":true}"#.into()),
        ("null", br#"{"phone":null}"#.into()),
        ("missing", br#"{"mobile":"+12045550100"}"#.into()),
        ("empty object", b"{}".into()),
        ("empty body", b"".into()),
        ("NaN elsewhere", format!(r#"{{"phone":"{n}","x":NaN}}"#).into()),
        ("infinity elsewhere", format!(r#"{{"phone":"{n}","x":-Infinity}}"#).into()),
        ("comment", format!("//c\n{{\"phone\":\"{n}\"}}").into()),
        ("comment inside", format!("{{/*c*/\"phone\":\"{n}\"}}").into()),
        ("bad escape", format!(r#"{{"p\hone":"x","phone":"{n}"}}"#).into()),
        ("single quotes", format!("{{'phone':'{n}'}}").into()),
        ("unquoted key", format!("{{phone:\"{n}\"}}").into()),
        ("trailing comma", format!(r#"{{"phone":"{n}",}}"#).into()),
        ("deep arrays", nested(33).into()),
        ("very deep arrays", nested(5000).into()),
        ("too many members", format!(r#"{{{many}"phone":"{n}"}}"#).into()),
        ("too many elements", format!(r#"{{"phone":"{n}","x":[{elements}1]}}"#).into()),
        ("invalid utf-8 elsewhere", [br#"{"phone":"+12045550100","x":""#.as_slice(), b"\xff\"}"].concat()),
        ("overlong utf-8", [br#"{"phone":"+12045550100","x":""#.as_slice(), b"\xc0\xaf\"}"].concat()),
        ("lone surrogate", format!(r#"{{"phone":"{n}","x":"\ud800"}}"#).into()),
        ("lone surrogate in a key", format!(r#"{{"phone":"{n}","\udc00":1}}"#).into()),
        ("byte order mark", format!("\u{feff}{}", json(n)).into()),
        ("utf-16", json(n).encode_utf16().flat_map(u16::to_le_bytes).collect()),
        ("utf-16 with mark", format!("\u{feff}{}", json(n)).encode_utf16().flat_map(u16::to_be_bytes).collect()),
        ("utf-32", json(n).chars().flat_map(|letter| u32::from(letter).to_le_bytes()).collect()),
        ("array of objects", format!("[{}]", json(n)).into()),
        ("two documents", format!("{}{}", json(n), json("+12045550101")).into()),
        ("two lines", format!("{}\n{}", json(n), json("+12045550101")).into()),
        ("trailing garbage", format!("{}x", json(n)).into()),
        ("trailing nul", format!("{}\0", json(n)).into()),
        ("control character in a string", format!("{{\"phone\":\"{n}\",\"x\":\"a\nb\"}}").into()),
        ("a string", format!("\"{n}\"").into()),
        ("a form in json's clothes", format!("phone={n}").into()),
        ("gzip magic", b"\x1f\x8b\x08\x00\x00\x00\x00\x00".into()),
    ];
    refuse(table.into_iter().map(|(name, body)| (name, post(SEND, &["X-Case: json", JSON], body))), "json");
}

#[test]
fn numbers_that_readers_disagree_about_are_refused() {
    let spellings = [
        "",
        " ",
        "0",
        "12045550100",
        "2045550100",
        "(204) 555-0100",
        "0012045550100",
        "01112045550100",
        "+0012045550100",
        "+012045550100",
        "++12045550100",
        "+1 204 555 0100 ext. 9",
        "+12045550100x123",
        "+12045550100#1",
        "+12045550100;ext=9",
        "+12045550100,9",
        "+12045550100p9",
        "tel:+12045550100",
        "TEL:+12045550100",
        "tel:5550100;phone-context=+1204",
        "sms:+12045550100",
        "sip:+12045550100@example.com",
        "+12045550100@example.com",
        "%2B12045550100",
        "+44 (0) 7700 900123",
        "+44(0)7700900123",
        "call +12045550100",
        "+12045550100 please",
        "+12045550100 +12045550101",
        "+12045550100/+12045550101",
        "+1204555O100",
        "+1-204-FLOWERS",
        "\u{ff0b}12045550100",
        "\u{fe62}12045550100",
        "+\u{ff11}2045550100",
        "+1204555010\u{0660}",
        "+1204555010\u{06f0}",
        "+1204555010\u{0966}",
        "+1204555010\u{1d7ce}",
        "+1204555010\u{2460}",
        "+1204555010\u{2070}",
        "+1204\u{a0}5550100",
        "+1204\u{200b}5550100",
        "+1204\u{200d}5550100",
        "\u{202e}+12045550100",
        "\u{200e}+12045550100",
        "\u{feff}+12045550100",
        "+1204\u{ad}5550100",
        "+1204\u{2011}555\u{2011}0100",
        "+1204\u{3000}5550100",
        r"+12045550100\t",
        r"+12045550100\n",
        r"+12045550100\r\nX: y",
        r"\u0000+12045550100",
        r"+1204\u00005550100",
        r"\u001b[0m+12045550100",
        "+12",
        "+1204555",
        "+120455501001234567",
        "+999123456789",
        "+10000000000000000000000000000000000000000000000000000000000000000",
    ];
    let table = spellings.map(|spelling| (spelling, post(SEND, &["X-Case: number", JSON], json(spelling))));
    refuse(table, "number");
}

#[test]
fn content_types_that_parsers_disagree_about_are_refused() {
    let body = json("+12045550100");
    let tables: &[&[&str]] = &[
        &[],
        &["Content-Type: text/plain"],
        &["Content-Type: application/octet-stream"],
        &["Content-Type: application/vnd.api+json"],
        &["Content-Type: text/json"],
        &["Content-Type: application/json, text/plain"],
        &["Content-Type: application/json", "Content-Type: application/json"],
        &["Content-Type: application/json", "Content-Type: text/plain"],
        &["Content-Type: application/json; charset=utf-16be"],
        &["Content-Type: application/json; charset=utf-7"],
        &["Content-Type: application/json; charset=iso-8859-1"],
        &["Content-Type: application/json; charset=utf-8; charset=utf-16"],
        &["Content-Type: application/json; boundary=x"],
        &["Content-Type: multipart/form-data; boundary=x"],
        &["Content-Type: application/xml"],
        &["Content-Type: application/x-www-form-urlencoded"],
        &[JSON, "Content-Encoding: gzip"],
        &[JSON, "Content-Encoding: GZIP"],
        &[JSON, "Content-Encoding: br"],
        &[JSON, "Content-Encoding: deflate, gzip"],
    ];
    let table = tables.iter().map(|headers| {
        let mut all = vec!["X-Case: type"];
        all.extend_from_slice(headers);
        (headers.last().copied().unwrap_or("no content type"), post(SEND, &all, &body))
    });
    refuse(table, "type");
}

#[test]
fn forms_that_parsers_disagree_about_are_refused() {
    let many: String = (0..100).map(|index| format!("k{index}=1&")).collect();
    let bodies = [
        "phone=%2B12045550100&phone=%2B12045550101".to_owned(),
        "phone=%2B12045550100&Phone=%2B12045550101".to_owned(),
        "phone=%2B12045550100&phone[]=%2B12045550101".to_owned(),
        "phone[]=%2B12045550100".to_owned(),
        "phone[0]=%2B12045550100".to_owned(),
        "phone[x]=%2B12045550100".to_owned(),
        "phone[=%2B12045550100".to_owned(),
        "phone.x=1&phone=%2B12045550100".to_owned(),
        "+phone=%2B12045550100".to_owned(),
        "%20phone=1&phone=%2B12045550100".to_owned(),
        "phone%00x=1&phone=%2B12045550100".to_owned(),
        "phone%00=1&phone=%2B12045550100".to_owned(),
        "p%68one=%2B12045550101&phone=%2B12045550100".to_owned(),
        "a=1;phone=%2B12045550101&phone=%2B12045550100".to_owned(),
        "a=1&a=2&phone=%2B12045550100".to_owned(),
        "phone=%2B1204555010%".to_owned(),
        "phone=%2B1204555010%3".to_owned(),
        "phone=%2B1204555010%zz".to_owned(),
        "phone=%2B12045550100&x=%ff".to_owned(),
        "phone=%2B12045550100&x=%u0041".to_owned(),
        "phone=%2B12045550100\r\n".to_owned(),
        "phone=%2B12045550100&x=\u{e9}".to_owned(),
        format!("{many}phone=%2B12045550100"),
        "phone=".to_owned(),
        "phone".to_owned(),
        "mobile=%2B12045550100".to_owned(),
        String::new(),
        json("+12045550100"),
    ];
    let requests: Vec<_> = bodies.iter().map(|body| (&**body, post(SEND, &["X-Case: form", FORM], body))).collect();
    refuse(requests, "form");
}

#[test]
fn a_field_of_the_body_in_the_query_is_refused() {
    let table =
        ["phone=%2B12045550101", "Phone=1", "phone[]=1", "x=1&phone", "a=1;phone=2", "phone%5B%5D=1"].map(|query| {
            let path = format!("{SEND}?{query}");
            (query, post(&path, &["X-Case: query", JSON], json("+12045550100")))
        });
    refuse(table, "query");
}

#[test]
fn odd_but_honest_bodies_pass() {
    let n = "+12045550102";
    let table: Vec<(&str, &str, String)> = vec![
        ("plain", JSON, json(n)),
        ("whitespace", JSON, format!("\r\n\t {{ \"phone\" :\t\"{n}\" }}\n ")),
        ("escaped value", JSON, r#"{"phone":"\u002b12045550102"}"#.to_owned()),
        ("escaped key", JSON, format!(r#"{{"\u0070hone":"{n}"}}"#)),
        (
            "other members",
            JSON,
            format!(r#"{{"user":{{"phone":1,"ids":[1,2,{{"phone":null}}]}},"phone":"{n}","e":"\ud83d\ude00"}}"#),
        ),
        ("same key in different objects", JSON, format!(r#"{{"a":{{"x":1}},"b":{{"x":2}},"phone":"{n}"}}"#)),
        ("charset", "Content-Type: application/json; charset=utf-8", json(n)),
        ("charset in capitals and quotes", "Content-Type: Application/JSON;charset=\"UTF-8\"", json(n)),
        ("spaces and dashes", JSON, json(" +1 204-555-0102 ")),
        ("parentheses and dots", JSON, json("+1 (204) 555.0102")),
        ("an area code in parentheses", JSON, json("+1(204)5550102")),
        ("form", FORM, "phone=%2B12045550102".to_owned()),
        ("form with the plus as it is", FORM, "phone=+12045550102".to_owned()),
        ("form with others", FORM, "a=1&phone=%2B1%20204%20555%200102&b=&tags[]=x&tags[]=y&user[name]=z".to_owned()),
        (
            "form with a charset",
            "Content-Type: application/x-www-form-urlencoded; charset=UTF-8",
            "phone=%2B12045550102".to_owned(),
        ),
        ("form with an empty pair", FORM, "&phone=%2B12045550102&".to_owned()),
    ];
    for (name, content_type, body) in table {
        let case = format!("X-Case: honest {name}");
        let answer = PAIR.tollgate.ask(&post(SEND, &[&case, content_type], &body));
        assert_eq!(answer.status(), 200, "{name}");
        let seen = PAIR.upstream.request(&format!("honest {name}"));
        assert_eq!(seen.text(), body, "{name}");
    }
}

#[test]
fn an_honest_query_beside_the_body_passes() {
    let request = post(&format!("{SEND}?lang=de&telephone=1"), &["X-Case: beside", JSON], json("+12045550103"));
    assert_eq!(PAIR.tollgate.ask(&request).status(), 200);
}

#[test]
fn a_national_number_is_read_where_the_endpoint_has_a_region() {
    let upstream = Upstream::friendly();
    let endpoint = "[[endpoint]]\nname = \"national\"\npath = \"/send\"\nnumber = [\"json:/phone\", \"query:to\"]\nregion = \"US\"\nmethods = [\"POST\", \"GET\"]\n";
    let tollgate = Tollgate::start(&upstream, "", endpoint);
    for phone in ["(204) 555-0104", "204.555.0104", "12045550104", "+12045550104"] {
        assert_eq!(tollgate.ask(&post("/send", &[JSON], json(phone))).status(), 200, "{phone}");
    }
    let answer = tollgate.ask(b"GET /send?to=2045550104 HTTP/1.1\r\nHost: app.example\r\n\r\n");
    assert_eq!(answer.status(), 200, "in the query");
    for phone in ["0012045550104", "01112045550104", "204555010", "2045550104 x1", "\u{ff12}045550104"] {
        assert_eq!(tollgate.ask(&post("/send", &[JSON], json(phone))).status(), 422, "{phone}");
    }
}

/// All of them are answered 422, and the upstream is asked for none.
fn refuse<'a>(requests: impl IntoIterator<Item = (&'a str, Vec<u8>)>, case: &str) {
    let wrong: Vec<(String, u16)> = requests
        .into_iter()
        .map(|(name, request)| (name.to_owned(), PAIR.tollgate.ask(&request).status()))
        .filter(|(_, status)| *status != 422)
        .collect();
    assert_eq!(wrong, Vec::new());
    assert_eq!(PAIR.upstream.requests(case).len(), 0);
}
