# Two commands matter: "make dev" and "make test". "make help" lists the rest.

GO      ?= go
NPM     ?= npm
BIN     := bin/truegrant
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)

# What to work on, and further arguments: make dev ARGS=--reset,
# make test-unit PKG=./oauth/..., make bench BENCH=Refresh.
PKG      ?= ./...
ARGS     ?=
BENCH    ?= .
FUZZTIME ?= 10s

# Pinned tools. They run through the Go proxy and need no installation.
GOLANGCI_LINT := $(GO) run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
GOVULNCHECK   := $(GO) run golang.org/x/vuln/cmd/govulncheck@v1.9.0

# npm ci, unless node_modules is what the lock file asks for already.
NPM_CI = { [ node_modules/.package-lock.json -nt package-lock.json ] || $(NPM) ci --no-audit --no-fund; }

# The browser tests use the system's browser.
export PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD := 1
export PUPPETEER_SKIP_DOWNLOAD := 1

.DEFAULT_GOAL := help

##@ Run

.PHONY: dev
dev: build ## Run everything on this machine: PostgreSQL, server, pages (ARGS=--reset starts afresh)
	@exec $(BIN) dev $(ARGS)

.PHONY: run
run: build ## Migrate, then serve, with the environment's configuration
	@exec $(BIN) $(ARGS)

.PHONY: migrate
migrate: build ## Bring the database of DATABASE_URL up to date (ARGS=--dry-run only says what would run)
	@exec $(BIN) migrate $(ARGS)

.PHONY: build
build: ## Build bin/truegrant
	$(GO) build -trimpath -ldflags "-X main.version=$(VERSION)" -o $(BIN) ./cmd/truegrant

.PHONY: docker
docker: ## Run server, database and mail catcher with Docker Compose
	scripts/docker-env
	docker compose up --build

##@ Test

.PHONY: test
test: setup ## Set up what is missing and run every test
	@MAKE="$(MAKE)" scripts/test fmt-check vet lint test-unit contract ui-check e2e

.PHONY: test-unit
test-unit: ## Go tests (PKG=./oauth/... for some of them)
	@$(GO) run ./scripts/gotest $(ARGS) $(PKG)

.PHONY: test-race
test-race: ## Go tests under the race detector (needs a C compiler)
	@$(GO) run ./scripts/gotest -race $(ARGS) $(PKG)

.PHONY: contract
contract: build ## Replay the recorded scenarios against the binary (ARGS="--filter login -v")
	$(GO) build -o bin/contract ./contract/runner
	bin/contract check --binary $(BIN) --pending contract/pending.yaml \
		--differences docs/differences.md $(ARGS) contract/scenarios

.PHONY: e2e
e2e: ## Drive the binary with real clients and a browser
ifeq ($(wildcard e2e/package.json),)
	@echo "e2e: no workspace"; echo "0 passed, 0 failed, 1 skipped"
else
	$(MAKE) --no-print-directory build
	cd e2e && $(NPM_CI) && TRUEGRANT_BIN=$(CURDIR)/$(BIN) $(NPM) test
endif

.PHONY: golden
golden: ## Write the golden files anew; look at the diff before you commit it
	UPDATE_GOLDEN=1 $(GO) test -count=1 $(PKG)

.PHONY: fuzz
fuzz: ## Fuzz every parser of hostile input for a while (FUZZTIME=10s each)
	@GO="$(GO)" scripts/fuzz $(FUZZTIME) $(PKG)

.PHONY: bench
bench: build ## Requests per second beside their bare SQL (BENCH=refresh selects, ARGS="-pg URL" measures on a server of yours)
	@$(GO) run ./bench -server $(BIN) -run '$(BENCH)' $(ARGS)

##@ Check

.PHONY: check
check: test vuln ## All that has to hold before a release

.PHONY: lint
lint: ## Linters, and the arrows between packages
	@$(GOLANGCI_LINT) run $(ARGS)

.PHONY: fmt
fmt: ## Format the Go files
	$(GOLANGCI_LINT) fmt

.PHONY: fmt-check
fmt-check:
	@bad=$$(find . -name '*.go' -not -path '*/node_modules/*' -exec gofmt -l {} +); \
	if [ -n "$$bad" ]; then echo "not formatted, run make fmt:"; echo "$$bad"; exit 1; fi

.PHONY: vet
vet:
	@$(GO) vet ./...

.PHONY: vuln
vuln: ## Known vulnerabilities in what we call
	$(GOVULNCHECK) ./...

.PHONY: ui
ui: ## Build the pages that the binary embeds
	cd ui && $(NPM_CI) && $(NPM) run build

.PHONY: ui-check
ui-check:
	cd ui && $(NPM_CI) && $(NPM) run check

.PHONY: setup
setup: ## Install what the tests need, or say what to install
	@GO="$(GO)" scripts/setup

.PHONY: help
help: ## Show this list
	@awk 'BEGIN { FS = ":.*## " } \
		/^##@ / { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z0-9-]+:.*## / { printf "  %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
