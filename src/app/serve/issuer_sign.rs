//! How it is with one issuer's answers: until when its signer may sign, and how long a good answer of before may still be
//! believed. Written by the follower's thread, read for the metrics.

use crate::model::{IssuerNo, Time};
use crate::responder::{KeyKind, Promise, residual_good};

/// One issuer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct IssuerSign {
    pub no: IssuerNo,
    pub name: String,
    /// What signs; none: nobody does.
    pub kind: Option<KeyKind>,
    /// Until when its signer's certificate is valid; none: nobody signs.
    pub not_after: Option<Time>,
    /// How long its answers are, and were, promised to be valid.
    pub promises: Vec<Promise>,
    /// No certificate of it has stopped being good after this.
    pub changed: Option<Time>,
}

impl IssuerSign {
    /// For how many seconds a good answer could still be believed if its certificate were revoked now.
    pub fn window(&self, now: Time) -> i64 {
        residual_good(now, &self.promises).map_or(0, |until| until.unix() - now.unix())
    }

    /// Why nobody signs for it any more, if its signer's time is over.
    pub fn over(&self, now: Time) -> Option<(String, String)> {
        let ended = self.not_after.filter(|not_after| *not_after <= now)?;
        Some((
            self.name.clone(),
            format!("its signer's certificate ended at {ended}: add the issuer again with a new one"),
        ))
    }

    /// For how many seconds a good answer about some certificate that is revoked or held may still be believed.
    pub fn ahead(&self, now: Time) -> i64 {
        let until = self.changed.and_then(|changed| residual_good(changed, &self.promises));
        until.map_or(0, |until| (until.unix() - now.unix()).max(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Seconds;

    #[test]
    fn what_lies_ahead_shrinks_and_the_window_stays() {
        let at = |seconds| Time::from_unix(seconds).unwrap();
        let promises = vec![Promise { validity: Seconds(600), until: None }];
        let sign = |changed| {
            let name = "a".to_owned();
            IssuerSign { no: IssuerNo(1), name, kind: None, not_after: None, promises: promises.clone(), changed }
        };
        assert_eq!((sign(None).window(at(50)), sign(None).ahead(at(50))), (600, 0));
        let changed = sign(Some(at(100)));
        assert_eq!([100, 699, 700, 701].map(|now| changed.ahead(at(now))), [600, 1, 0, 0]);
        assert_eq!(changed.window(at(701)), 600);
    }
}
