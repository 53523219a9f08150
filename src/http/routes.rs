//! Which path is what. Asked by the listener for each request.

use std::sync::Arc;

use hyper::Method;

use super::answer::{Outcome, Readiness};

/// Something that knows whether the program is ready.
///
/// - **Threads.** Asked by any connection at any time; must not wait.
pub trait Health: Send + Sync {
    /// Whether it is, and if not, why.
    fn readiness(&self) -> Readiness;
}

/// What a listener answers.
#[derive(Clone)]
pub enum Routes {
    /// The probes.
    Admin(Arc<dyn Health>),
    /// Nothing yet.
    Public,
}

impl Routes {
    /// What comes of a request.
    pub(super) fn route(&self, method: &Method, path: &str) -> Outcome {
        let Self::Admin(health) = self else { return Outcome::NotFound };
        let reads = matches!(*method, Method::GET | Method::HEAD);
        match path {
            "/healthz" | "/readyz" if !reads => Outcome::NotAllowed,
            "/healthz" => Outcome::Alive,
            "/readyz" => Outcome::Probed(health.readiness()),
            _ => Outcome::NotFound,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Position;

    struct Always;

    impl Health for Always {
        fn readiness(&self) -> Readiness {
            Readiness::Ready { position: Position(1), heartbeat_age: 0, leads: true }
        }
    }

    #[test]
    fn the_probes_are_on_the_admin_listener_alone() {
        let admin = Routes::Admin(Arc::new(Always));
        assert_eq!(admin.route(&Method::GET, "/healthz"), Outcome::Alive);
        assert!(matches!(admin.route(&Method::HEAD, "/readyz"), Outcome::Probed(_)));
        assert_eq!(admin.route(&Method::POST, "/readyz"), Outcome::NotAllowed);
        assert_eq!(admin.route(&Method::GET, "/healthz/"), Outcome::NotFound);
        for path in ["/healthz", "/readyz", "/", "/ocsp", "/crl/index.json"] {
            assert_eq!(Routes::Public.route(&Method::GET, path), Outcome::NotFound);
            assert_eq!(Routes::Public.route(&Method::POST, path), Outcome::NotFound);
        }
    }
}
