# check=skip=ReservedStageName
# Two images around one static binary, at /usr/local/bin/epm-gate in both:
#
#   scratch  the binary alone, as the ENTRYPOINT: docker run, Kubernetes, Argo, Tekton, an action of GitHub
#   shell    for whoever starts a shell of their own in it, so without an ENTRYPOINT: GitLab, Jenkins, container jobs
#
#   docker build --target scratch --build-arg BINARY=source .    from source
#   docker build --target scratch .                              from dist/linux/ARCH/epm-gate, as a release does
#
# It takes BuildKit, which builds only the stages that a target needs. No USER: on GitHub only root can write the files
# of a step; any other user will do elsewhere. No WORKDIR, VOLUME or HEALTHCHECK: the gate writes only where it is told.

# Where the binary comes from: `release` or `source`.
ARG BINARY=release
# The version that rust-toolchain.toml names. On Alpine, what Rust builds is static.
ARG RUST_BASE=rust:1.95.0-alpine
# A mirror, or another base: Debian's, or any that brings the `ps` of procps.
ARG SHELL_BASE=debian:13-slim
ARG VERSION=unknown
ARG REVISION=unknown

FROM scratch AS release
# Without a default, which would win over the platform that is built for.
ARG TARGETARCH
# What came through a CI's artifacts is not executable any more.
COPY --chmod=755 dist/linux/${TARGETARCH}/epm-gate /usr/local/bin/epm-gate

FROM ${RUST_BASE} AS source
WORKDIR /source
COPY build.rs Cargo.lock Cargo.toml ./
# The manifest names them.
COPY benches benches
COPY sandbox sandbox
COPY src src
RUN cargo install --locked --root /usr/local --path .

FROM ${BINARY} AS binary

# Its name is the target's, and says what it is; nothing below begins with an empty image, so none is meant by it.
# hadolint ignore=DL3063
FROM scratch AS scratch
ARG VERSION
ARG REVISION
LABEL org.opencontainers.image.title="epm-gate" \
      org.opencontainers.image.description="A CI/CD stage gate for Oracle Fusion Cloud EPM Data Integration jobs: submit or attach, wait, report, pass or fail." \
      org.opencontainers.image.source="https://github.com/acme/epm-gate" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0"
COPY --from=binary /usr/local/bin/epm-gate /usr/local/bin/epm-gate
# As a list: the gate is PID 1 then, and a signal reaches it and no shell.
ENTRYPOINT ["/usr/local/bin/epm-gate"]

FROM ${SHELL_BASE} AS shell
# Jenkins finds what it is to stop with this very `ps`, and Debian's slim image has none. DL3001 takes it for a mistake;
# DL3008 wants a version, which would be gone from the archive after the next update.
# hadolint ignore=DL3001,DL3008
RUN ps -A -o pid,command e >/dev/null 2>&1 \
    || { apt-get update \
      && apt-get install --yes --no-install-recommends procps \
      && rm -rf /var/cache/apt/* /var/lib/apt/lists/*; }
ARG VERSION
ARG REVISION
LABEL org.opencontainers.image.title="epm-gate" \
      org.opencontainers.image.description="A CI/CD stage gate for Oracle Fusion Cloud EPM Data Integration jobs: submit or attach, wait, report, pass or fail." \
      org.opencontainers.image.source="https://github.com/acme/epm-gate" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0"
COPY --from=binary /usr/local/bin/epm-gate /usr/local/bin/epm-gate
