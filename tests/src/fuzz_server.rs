//! The bodies of the fuzz targets: plain functions, so that a short run is part of every test run.
