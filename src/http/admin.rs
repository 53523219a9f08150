//! The admin listener's paths. Asked by `listener` for each request.

use std::sync::Arc;

use hyper::Method;

use super::probes::{Outcome, Readiness};

/// Something that knows whether the program is ready.
///
/// - **Threads.** Asked by any connection at any time; must not wait.
pub trait Health: Send + Sync {
    /// Whether it is, and if not, why.
    fn readiness(&self) -> Readiness;
}

/// What the admin listener answers.
#[derive(Clone)]
pub struct Admin(Arc<dyn Health>);

impl Admin {
    /// Answers with what this knows.
    pub fn new(health: Arc<dyn Health>) -> Self {
        Self(health)
    }

    /// What comes of a request.
    pub(super) fn route(&self, method: &Method, path: &str) -> Outcome {
        let reads = matches!(*method, Method::GET | Method::HEAD);
        match path {
            "/healthz" | "/readyz" if !reads => Outcome::NotAllowed,
            "/healthz" => Outcome::Alive,
            "/readyz" => Outcome::Probed(self.0.readiness()),
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
            Readiness::Ready {
                position: Position(1),
                heartbeat_age: 0,
                leads: true,
                degraded: None,
                without_signer: vec![],
            }
        }
    }

    #[test]
    fn the_probes_are_there_for_readers() {
        let admin = Admin::new(Arc::new(Always));
        assert_eq!(admin.route(&Method::GET, "/healthz"), Outcome::Alive);
        assert!(matches!(admin.route(&Method::HEAD, "/readyz"), Outcome::Probed(_)));
        assert_eq!(admin.route(&Method::POST, "/readyz"), Outcome::NotAllowed);
        for path in ["/healthz/", "/", "/ocsp"] {
            assert_eq!(admin.route(&Method::GET, path), Outcome::NotFound);
        }
    }
}
