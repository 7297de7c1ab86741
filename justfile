# What one does every day; `just` lists it.

default:
    @just --list

# The workbench on the bundled pipeline.
demo:
    cargo run --release -- demo

# All tests.
test:
    cargo test

# What CI checks.
ci:
    .ci/run

# Engine against DataFusion's batch answer, and small batches (generates 430 MB once).
bench:
    cargo bench --bench streaming

# Accept changed snapshots; read the diff afterwards.
snapshots:
    INSTA_UPDATE=always cargo test --lib

# docs/workbench.md with the screens and keys that there are.
workbench-page:
    HIGHWATER_WRITE_PAGES=1 cargo test --lib the_page_shows_what_there_is

# Licences and advisories of all dependencies.
deny:
    cargo deny check
