//! Tools of the tests: a name server that lies on request, a mail server that fails on request.
//!
//! Both listen on loopback, stop when dropped, and record what they saw.
