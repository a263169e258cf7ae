# docker build --build-arg VERSION=0.1.0 --build-arg COMMIT=$(git rev-parse --short=12 HEAD) -t k8s-sidecar .
# docker build --target debug … for the image with a shell.
#
# The binary is built on the machine's own platform for the image's, so that no emulation is needed.

FROM --platform=$BUILDPLATFORM denoland/deno:2.9.6 AS build
ARG TARGETOS=linux
ARG TARGETARCH=amd64
ARG COMMIT=""
WORKDIR /src
COPY deno.json deno.lock main.ts ./
COPY lib lib
COPY scripts/compile.ts scripts/
RUN deno install --frozen --entrypoint main.ts
RUN deno run --quiet -A scripts/compile.ts \
      --target "$TARGETOS-$TARGETARCH" --commit "$COMMIT" --output /out/k8s-sidecar \
 && mkdir /shell && ln -s /busybox/sh /shell/sh

# With busybox in /busybox, and as /bin/sh: for SCRIPT, and for a look around with kubectl exec.
FROM gcr.io/distroless/cc-debian12:debug-nonroot AS debug
ARG VERSION=""
ARG COMMIT=""
LABEL org.opencontainers.image.title="deno-k8s-sidecar, with a shell" \
      org.opencontainers.image.description="Keeps label-selected ConfigMaps and Secrets as files in a folder" \
      org.opencontainers.image.source="https://github.com/deno-k8s-sidecar/deno-k8s-sidecar" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$COMMIT" \
      org.opencontainers.image.base.name="gcr.io/distroless/cc-debian12:debug-nonroot"
COPY --from=build /shell/ /bin/
COPY --from=build /out/k8s-sidecar /usr/local/bin/k8s-sidecar
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["/usr/local/bin/k8s-sidecar"]

# Nothing but the C library and the binary. It writes to FOLDER alone, and runs as any user.
FROM gcr.io/distroless/cc-debian12:nonroot
ARG VERSION=""
ARG COMMIT=""
LABEL org.opencontainers.image.title="deno-k8s-sidecar" \
      org.opencontainers.image.description="Keeps label-selected ConfigMaps and Secrets as files in a folder" \
      org.opencontainers.image.source="https://github.com/deno-k8s-sidecar/deno-k8s-sidecar" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$COMMIT" \
      org.opencontainers.image.base.name="gcr.io/distroless/cc-debian12:nonroot"
COPY --from=build /out/k8s-sidecar /usr/local/bin/k8s-sidecar
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["/usr/local/bin/k8s-sidecar"]
