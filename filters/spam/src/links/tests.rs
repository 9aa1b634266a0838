mod disguises;
mod gathering;
mod writing;
