//! What stands in the database beside the bytes that are proved, and must agree with them: columns to search and to decide by,
//! indexes, rights. Asked by `verify`, in plain statements: the database's own functions are among what is doubted.

use crate::ledger::{LedgerError, Stray};

use super::errors::other;
use super::read::value;
use super::session::Session;

/// What doesn't agree; the first of each kind.
pub(super) fn strays(session: &mut Session) -> Result<Vec<Stray>, LedgerError> {
    let mut strays = Vec::new();
    for row in session.query(MISSING_INDEXES, &[&&INDEXES[..]]).map_err(other)? {
        strays.push(Stray::Index(value(&row, 0)?));
    }
    for statement in [CERTIFICATES, STATUSES, RIGHTS] {
        for row in session.query(statement, &[]).map_err(other)? {
            strays.push(Stray::Fact(value(&row, 0)?));
        }
    }
    Ok(strays)
}

/// Without these, answers are right but never come.
const INDEXES: [&str; 8] = [
    "certificate_holder",
    "certificate_medium",
    "certificate_pkey",
    "certificate_serial",
    "certificate_sim",
    "event_pkey",
    "head_pkey",
    "status_pkey",
];

const MISSING_INDEXES: &str = "SELECT n FROM unnest($1::text[]) n WHERE NOT EXISTS (
    SELECT FROM pg_class c JOIN pg_index i ON i.indexrelid = c.oid
    WHERE c.relnamespace = 'tashika'::regnamespace AND c.relname = n AND i.indisvalid AND i.indisready)";

/// As `write_rows` reads them out of the row when it is registered.
const CERTIFICATES: &str = "
    SELECT format('certificate %s is searched for by other names than its own', x.no)
    FROM (SELECT c.*, get_byte(c.\"row\", 3) AS n FROM tashika.certificate c OFFSET 0) x
    LEFT JOIN LATERAL (
        SELECT get_byte(x.\"row\", x.n + 70) * 256 + get_byte(x.\"row\", x.n + 71) AS m
        WHERE get_byte(x.\"row\", x.n + 69) = 1) s ON true
    WHERE x.issuer <> get_byte(x.\"row\", 1) * 256 + get_byte(x.\"row\", 2) OR x.serial <> substr(x.\"row\", 5, x.n)
       OR x.medium <> substr(x.\"row\", x.n + 7, 16) OR x.holder <> substr(x.\"row\", x.n + 23, 16)
       OR x.operator IS DISTINCT FROM convert_from(substr(x.\"row\", x.n + 73, s.m), 'UTF8')
       OR x.sim IS DISTINCT FROM substr(x.\"row\", x.n + s.m + 73, 16)
    LIMIT 20";

/// What the database's own rules decide by.
const STATUSES: &str = "
    SELECT format('the status of certificate %s says something else in its columns', s.no)
    FROM tashika.status s
    WHERE s.life <> get_byte(s.state, 9)
       OR s.reason IS DISTINCT FROM CASE get_byte(s.state, 9) WHEN 2 THEN get_byte(s.state, 10) END
       OR s.holds <> CASE get_byte(s.state, 9) WHEN 2 THEN 0
              ELSE get_byte(s.state, 11 + 4 * get_byte(s.state, 10)) * 256
                   + get_byte(s.state, 12 + 4 * get_byte(s.state, 10)) END
    LIMIT 20";

/// Whoever isn't the owner reads, and writes through functions.
const RIGHTS: &str = "
    SELECT format('%s may %s in table %s', CASE a.grantee WHEN 0 THEN 'everybody' ELSE a.grantee::regrole::text END,
                  lower(a.privilege_type), c.relname)
    FROM pg_class c, aclexplode(c.relacl) a
    WHERE c.relnamespace = 'tashika'::regnamespace AND a.grantee <> c.relowner AND a.privilege_type <> 'SELECT'
    ORDER BY 1 LIMIT 20";
