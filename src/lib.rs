//! Tashika (確か, "certain"): the certificate status system of a national PKI.
//!
//! This file is the map. The rooms, in the order a newcomer should read them:
