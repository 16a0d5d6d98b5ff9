// The Gateway API's conformance tests as one program, with the suite's own flags. They wait less long than the suite would.
package conformance_test

import (
	"flag"
	"slices"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/gateway-api/conformance"
	"sigs.k8s.io/gateway-api/conformance/tests"
	"sigs.k8s.io/gateway-api/conformance/utils/config"
	"sigs.k8s.io/gateway-api/conformance/utils/suite"
)

// For pods, and in tests that are expected to pass for statuses and answers; others need not fail slowly.
const (
	patience      = 30 * time.Second
	shortPatience = 5 * time.Second
)

var failing = flag.String("failing", "", "Comma-separated list of tests that are expected to fail")

func TestConformance(t *testing.T) {
	expected := strings.Split(*failing, ",")
	for i := range tests.ConformanceTests {
		test := &tests.ConformanceTests[i]
		waits := waitingFor(patience)
		if slices.Contains(expected, test.ShortName) {
			waits = waitingFor(shortPatience)
		}
		run := test.Test
		test.Test = func(t *testing.T, running *suite.ConformanceTestSuite) {
			running.TimeoutConfig = waits
			run(t, running)
		}
	}
	conformance.RunConformance(t)
}

func waitingFor(limit time.Duration) config.TimeoutConfig {
	waits := config.DefaultTimeoutConfig()
	waits.NamespacesMustBeReady = patience
	for _, wait := range []*time.Duration{
		&waits.GatewayMustHaveAddress,
		&waits.GatewayMustHaveCondition,
		&waits.GatewayStatusMustHaveListeners,
		&waits.GatewayListenersMustHaveConditions,
		&waits.GWCMustBeAccepted,
		&waits.HTTPRouteMustNotHaveParents,
		&waits.HTTPRouteMustHaveCondition,
		&waits.RouteMustHaveParents,
		&waits.LatestObservedGenerationSet,
		&waits.MaxTimeToConsistency,
	} {
		*wait = min(*wait, limit)
	}
	return waits
}
