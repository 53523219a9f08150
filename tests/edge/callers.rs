//! Who asks: by address and path, and nobody by a path alone.

use tashika::parties::{Account, Outcome, Strangers};

use crate::client::{alone, base64, get, post};
use crate::house::{House, Plan};
use crate::ocsp::{Said, UNAUTHORIZED};

#[test]
fn a_party_s_path_is_honoured_where_it_may_be_used() {
    let house = House::usual();
    let asked = house.request();
    let plain = base64(&asked);
    for sent in [
        post("/p/demo/login/", &asked),
        post("/p/demo/login", &asked),
        post("/p/demo/login/ocsp", &asked),
        get(&format!("/p/demo/login/{plain}")),
        get(&format!("/p/demo/login/ocsp/{plain}")),
    ] {
        let response = alone(house.at, &sent);
        assert_eq!((response.status, house.seen(&response.body).said()), (200, Said::Good));
    }
    let of_demo = house.counters.sums().find(|(account, outcome, _)| {
        *outcome == Outcome::Good && matches!(account, Account::Party { party, .. } if *party == "demo")
    });
    assert_eq!(of_demo.map(|(_, _, count)| count), Some(5));
    // Another party's address, a service that it hasn't, a party that nobody knows.
    for path in ["/p/bank/login/", "/p/demo/other/", "/p/nobody/login/", "/p/demo/LOGIN"] {
        let response = alone(house.at, &post(path, &asked));
        assert_eq!((response.status, house.seen(&response.body).status), (200, UNAUTHORIZED), "{path}");
    }
    assert_eq!(house.counted(Outcome::NotAllowed), 4);
}

#[test]
fn strangers_are_answered_only_where_that_is_set() {
    let house = House::of(Plan { strangers: Strangers::Refused, ..Plan::default() });
    let asked = house.request();
    let response = alone(house.at, &post("/", &asked));
    assert_eq!((response.status, house.seen(&response.body).status), (200, UNAUTHORIZED));
    let response = alone(house.at, &post("/p/demo/login/", &asked));
    assert_eq!(house.seen(&response.body).said(), Said::Good);
}
