# doorsync. `make demo` shows it at work, `make test` proves it.
# `make help` lists the rest.

SHELL      := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS  += --no-print-directory

VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
PROGRAMS := ./agent/cmd/doorsync-agent ./cloud/cmd/doorsync-central ./firmware-bridge/sim/cmd/doorsync-readersim
TARGETS  := linux/amd64 linux/arm64 linux/arm windows/amd64
LDFLAGS  := -s -w -X main.version=$(VERSION)
TOOL     := go tool -modfile=packaging/tools/go.mod
LINTER   := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
FUZZTIME ?= 10s
DURATION ?= 10m

.PHONY: help
help: ## List what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | column -t -s "$$(printf '\t')"

.PHONY: demo
demo: ## A center, two sites and four readers on this machine; stays up for you to try
	@go run ./packaging/demo

.PHONY: demo-once
demo-once: ## The same story, ending by itself; fails if any step does not hold
	@go run ./packaging/demo --once

.PHONY: build
build: ## The programs for this machine, in build/bin
	@mkdir -p build/bin
	CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o build/bin/ $(PROGRAMS)

.PHONY: test
test: needs ## Everything with the race detector, then fresh seeds of the simulation without it; installs what it needs where it may
	go test -race -shuffle=on -timeout 9m ./...
	go test -count=1 -run '^TestSeeds$$' ./packaging/simulate -v -args -for 20s | grep -vE '^ *(=== |--- PASS)'

.PHONY: needs
needs: tools
	@bash packaging/needs.sh

.PHONY: tools
tools: ## Fetch the pinned tools (also the independent UHPPOTE simulator)
	@cd packaging/tools && go mod download
	@$(TOOL) -n gofumpt >/dev/null && $(TOOL) -n staticcheck >/dev/null && $(TOOL) -n uhppote-simulator >/dev/null

.PHONY: gate
gate: check test ## What a change must pass: check, then test

.PHONY: check
check: format vet staticcheck modern cross tidy ## Format, vet, staticcheck, old forms, all platforms, go.mod

.PHONY: format
format:
	@unformatted="$$($(TOOL) gofumpt -l agent cloud configs firmware-bridge packaging protocol)"; \
	if [ -n "$$unformatted" ]; then echo "not formatted (gofumpt -w):"; echo "$$unformatted"; exit 1; fi

.PHONY: vet
vet:
	go vet ./...

.PHONY: staticcheck
staticcheck:
	$(TOOL) staticcheck ./...

.PHONY: modern
modern:
	go fix -diff ./...

.PHONY: cross
cross:
	@for target in $(TARGETS); do \
		echo "build for $$target"; \
		GOOS=$${target%/*} GOARCH=$${target#*/} CGO_ENABLED=0 go build ./...; \
	done

# Only go.mod is compared, and -e goes on past what tests of other people's
# modules import: not all of that can be had everywhere.
.PHONY: tidy
tidy:
	@untidy="$$(go mod tidy -e -diff 2>/dev/null | sed '/^diff current\/go.sum/,$$d')" || true; \
	if [ -n "$$untidy" ]; then echo "$$untidy"; echo "go.mod is not tidy: run go mod tidy -e"; exit 1; fi

.PHONY: lint
lint: ## golangci-lint with .golangci.yml; slow the first time
	go run $(LINTER) run

.PHONY: bench
bench: build ## Measure the journey of an edit against the raw stack, imports against SQLite; writes build/bench.json
	@bash packaging/needs.sh bench
	go run ./packaging/bench

# The runtime that fixed.sh makes lets one seed make one run.
.PHONY: simulate
simulate: ## A whole installation in simulated time: SEEDS (1000) fresh seeds, or one SEED again with its timeline
	@mkdir -p build/simulate
	@overlay="$$(bash packaging/simulate/fixed.sh "$(CURDIR)/build/simulate")"; \
	CGO_ENABLED=0 go test -c -overlay "$$overlay" -tags simulate_fixed -o build/simulate/simulate.test ./packaging/simulate
	@cd packaging/simulate && exec ../../build/simulate/simulate.test -test.timeout 0 -test.run '^Test(Seeds|Regressions)$$' \
		$(if $(SEED),-seed $(SEED) -test.v,-seeds $(or $(SEEDS),1000))

.PHONY: simulate-planted
simulate-planted: ## See that the simulation catches bugs planted in a copy of the product
	@bash packaging/simulate/planted.sh

.PHONY: soak
soak: ## Real processes, lines that are cut, kills and full disks for DURATION (10m); needs root
	@bash packaging/needs.sh soak
	@mkdir -p build/bin
	@CGO_ENABLED=0 go build -o build/bin/soak ./packaging/soak
	@exec build/bin/soak -duration $(DURATION) -seed $(or $(SEED),0)

.PHONY: fuzz
fuzz: ## Every fuzz target for FUZZTIME (10s) each
	@grep -rlE '^func Fuzz' --include='*_test.go' . | xargs -n1 dirname | sort -u | while read -r folder; do \
		for target in $$(grep -hoE '^func Fuzz[A-Za-z0-9_]*' "$$folder"/*_test.go | sed 's/func //'); do \
			echo "$$folder $$target"; \
			go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) "$$folder"; \
		done; \
	done

.PHONY: clean
clean: ## Remove what was built
	rm -rf build
