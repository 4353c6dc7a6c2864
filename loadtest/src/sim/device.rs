//! What requests are made with: user agents and the TLS fingerprints (JA4) that come with them.

/// A program that makes requests.
#[derive(Debug)]
pub(crate) struct Device {
    pub(crate) user_agent: &'static str,
    pub(crate) ja4: &'static str,
}

/// What people use, by weight. Most use the company's app.
pub(crate) const PEOPLE: &[(&Device, f64)] = &[
    (&Device { user_agent: "Harbour/7.4.1 (iPhone; iOS 18.4; Scale/3.00)", ja4: APPLE }, 25.0),
    (&Device { user_agent: "Harbour/7.3.0 (iPhone; iOS 17.7; Scale/2.00)", ja4: APPLE }, 10.0),
    (&Device { user_agent: "Harbour/7.4.1 (Android 15; SM-S921B) okhttp/4.12", ja4: OKHTTP }, 20.0),
    (&Device { user_agent: "Harbour/7.2.5 (Android 13; Redmi Note 12) okhttp/4.12", ja4: OKHTTP }, 9.0),
    (&CHROME, 14.0),
    (
        &Device {
            user_agent: "Mozilla/5.0 (Linux; Android 14; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/135.0.0.0 Mobile Safari/537.36",
            ja4: CHROMIUM,
        },
        6.0,
    ),
    (
        &Device {
            user_agent: "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.3 Safari/605.1.15",
            ja4: SAFARI,
        },
        6.0,
    ),
    (&SAFARI_ON_IPHONE, 8.0),
    (
        &Device {
            user_agent: "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:137.0) Gecko/20100101 Firefox/137.0",
            ja4: FIREFOX,
        },
        2.0,
    ),
];

/// What scripts use: one that says so, one that drives a browser, one whose handshake contradicts what it says.
pub(crate) const BOTS: &[Device] = &[
    Device { user_agent: "python-requests/2.32.3", ja4: "t13d1812h1_85036bcba153_b26ce05bbdd6" },
    CHROME,
    Device { user_agent: SAFARI_ON_IPHONE.user_agent, ja4: "t13d1312h2_f57a46bbacb6_a089ac8cd7d3" },
];

const CHROME: Device = Device {
    user_agent: "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/136.0.0.0 Safari/537.36",
    ja4: CHROMIUM,
};
const SAFARI_ON_IPHONE: Device = Device {
    user_agent: "Mozilla/5.0 (iPhone; CPU iPhone OS 18_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 Safari/604.1",
    ja4: SAFARI,
};

const APPLE: &str = "t13d2014h2_a09f3c656075_14788d8d241b";
const OKHTTP: &str = "t13d1514h2_8daaf6152771_de4a06bb82e3";
const CHROMIUM: &str = "t13d1516h2_8daaf6152771_02713d6af862";
const SAFARI: &str = "t13d2014h2_a09f3c656075_e42f34c56612";
const FIREFOX: &str = "t13d1715h2_5b57614c22b0_5c2c66f702b0";
