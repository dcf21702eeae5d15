# syntax=docker/dockerfile:1

FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=dev
RUN CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=${VERSION}" -o /truegrant ./cmd/truegrant

# Nothing but the program and the certificates that it needs to call out.
FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /truegrant /truegrant
COPY LICENSE /LICENSE
USER 65532:65532
EXPOSE 8081
# It asks the server's own /health/ready, on the port that the configuration names.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["/truegrant", "healthcheck"]
STOPSIGNAL SIGTERM
# Without a command: migrate, then serve.
ENTRYPOINT ["/truegrant"]
