//! What in a process log says why a job failed.

/// Each was seen in public code or in Oracle's pages (epm-api.md §10.3).
pub const SEEN: [&str; 11] = [
    "[BLANK]",
    "[NN]",
    "[TC]",
    "[NULL ACCOUNT VALUE]",
    "[ERROR_INVALID_PERIOD]",
    "Error: 3303",
    "Not Found In Database",
    "The member ",
    "EPMFDM-140274",
    "EPMFDM-140149",
    "Exception while applying",
];
