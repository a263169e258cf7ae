# docker build --build-arg VERSION=0.1.0 --build-arg COMMIT=$(git rev-parse --short=12 HEAD) -t k8s-sidecar .
#
# Targets (docker build --target NAME .), and the ending of the published tag:
#   default         (none)           no shell
#   debug           -debug           with busybox, for SCRIPT and kubectl exec
#   kiwigrid        -kiwigrid        DEFAULTS=kiwigrid is set, for charts that pass no variables on
#   kiwigrid-debug  -kiwigrid-debug  both
#
# The first two stages run on the builder's own platform, so an image for another one needs no emulation.

FROM --platform=$BUILDPLATFORM denoland/deno:2.9.6@sha256:2014dc167ece617ef7e7ba40631ac2234c59e75ce693e7cc2dc2602b3c87859d AS build
ARG TARGETOS=linux
ARG TARGETARCH=amd64
ARG COMMIT=""
# `strip` for both architectures, whichever the builder has
RUN apt-get -qq update \
 && apt-get -qq install --yes --no-install-recommends binutils-x86-64-linux-gnu binutils-aarch64-linux-gnu
WORKDIR /src
COPY deno.json deno.lock main.ts ./
COPY lib lib
COPY scripts/compile.ts scripts/stripped_base.ts scripts/
RUN deno install --frozen --entrypoint main.ts
RUN deno run --quiet -A scripts/compile.ts \
      --target "$TARGETOS-$TARGETARCH" --commit "$COMMIT" --output /out/k8s-sidecar

# Everything else is from Debian's packages, as they are on the day of the build
FROM --platform=$BUILDPLATFORM debian:12-slim@sha256:abd67ffcfa541b485a3dff59865ab629aa048a6c613e639d36e7456b0b229241 AS tools
ARG TARGETARCH=amd64
COPY scripts/image_tools.sh /
RUN dpkg --add-architecture "$TARGETARCH" && apt-get -qq update && sh /image_tools.sh "$TARGETARCH" /out

# The C library, certificates, tini and the binary. Writes to FOLDER only and runs as any user; 65534 is the user of
# kiwigrid/k8s-sidecar, whose volumes it can take over. tini reaps the processes that a SCRIPT leaves behind; with -s, also
# where it is not PID 1.
FROM scratch AS image
ARG VERSION=""
ARG COMMIT=""
LABEL org.opencontainers.image.title="deno-k8s-sidecar" \
      org.opencontainers.image.description="Keeps label-selected ConfigMaps and Secrets as files in a folder" \
      org.opencontainers.image.source="https://github.com/deno-k8s-sidecar/deno-k8s-sidecar" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$COMMIT"
COPY --from=tools /out/base/ /
COPY --from=build /out/k8s-sidecar /usr/local/bin/k8s-sidecar
WORKDIR /
USER 65534:65534
EXPOSE 8080
ENTRYPOINT ["/usr/bin/tini-static", "-s", "--", "/usr/local/bin/k8s-sidecar"]

# busybox under each of its names in /bin: sh, true, wget, …
FROM image AS debug
COPY --from=tools /out/busybox/ /

FROM debug AS kiwigrid-debug
ENV DEFAULTS=kiwigrid

FROM image AS kiwigrid
ENV DEFAULTS=kiwigrid

FROM image AS default
