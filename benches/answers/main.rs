//! What an answer costs over the network, beside what the same octets cost without one.

#![allow(clippy::disallowed_methods, reason = "a benchmark reads the clock")]

mod served;

use served::{KeptReplies, Wanted, serve};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let value = |name: &str| {
        arguments.iter().find_map(|argument| argument.strip_prefix(name).and_then(|rest| rest.strip_prefix('=')))
    };
    if arguments.iter().any(|argument| argument == "serials") {
        let count: u64 = value("certificates").map_or(1, |count| count.parse().expect("a number"));
        (1..=count).for_each(|number| println!("{}", served::serial(number)));
        return;
    }
    serve(&Wanted {
        listen: value("listen").unwrap_or("127.0.0.1:7080").parse().expect("an address"),
        certificates: value("certificates").map_or(1_000_000, |count| count.parse().expect("a number")),
        ca: value("ca").unwrap_or("card-sign-g2-p256").into(),
        kept: match value("kept") {
            Some("none") => KeptReplies::None,
            Some("filled") => KeptReplies::Filled,
            _ => KeptReplies::Signed,
        },
        threads: value("threads").map_or(1, |count| count.parse().expect("a number")),
        signers: value("signers").map_or(1, |count| count.parse().expect("a number")),
    });
}
