//! Which keys of a table are tried for an address, a host name or a network address, and in which
//! order (access(5), virtual(5), canonical(5), transport(5)).
