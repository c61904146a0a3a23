//! Everything holds in the sample world; each test changes one thing and names the refusal that it must meet.

mod certified;
mod credentials;
mod keys;
mod past;
mod several;
mod steps;
mod walked;
