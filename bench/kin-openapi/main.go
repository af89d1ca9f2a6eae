// Measures kin-openapi over the bench's messages: reads {contract, cases, ms} on stdin, writes {name: µs} on stdout.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"os"
	"syscall"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers/gorillamux"
)

type measured struct {
	Contract json.RawMessage `json:"contract"`
	Cases    []struct {
		Name string          `json:"name"`
		Path string          `json:"path"`
		Body json.RawMessage `json:"body"`
		Kind string          `json:"direction"`
	} `json:"cases"`
	Ms int `json:"ms"`
}

func cpu() float64 {
	var usage syscall.Rusage
	must(syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	us := func(t syscall.Timeval) float64 { return float64(t.Sec)*1e6 + float64(t.Usec) }
	return us(usage.Utime) + us(usage.Stime)
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func main() {
	var in measured
	must(json.NewDecoder(os.Stdin).Decode(&in))
	document, err := openapi3.NewLoader().LoadFromData(in.Contract)
	must(err)
	router, err := gorillamux.NewRouter(document)
	must(err)
	out := map[string]float64{}
	for _, each := range in.Cases {
		method := http.MethodPost
		if each.Kind == "answer" {
			method = http.MethodGet
		}
		request, err := http.NewRequest(method, each.Path, nil)
		must(err)
		request.Header.Set("Content-Type", "application/json")
		route, params, err := router.FindRoute(request)
		must(err)
		input := &openapi3filter.RequestValidationInput{Request: request, PathParams: params, Route: route}
		one := func() error {
			if each.Kind == "answer" {
				answer := &openapi3filter.ResponseValidationInput{
					RequestValidationInput: input, Status: 200,
					Header: http.Header{"Content-Type": []string{"application/json"}},
				}
				answer.SetBodyBytes(each.Body)
				return openapi3filter.ValidateResponse(context.Background(), answer)
			}
			return openapi3filter.ValidateRequestBody(context.Background(), inputWith(input, each.Body), route.Operation.RequestBody.Value)
		}
		must(one())
		best := 1e18
		for round := 0; round <= 5; round++ {
			before, end, calls := cpu(), time.Now().Add(time.Duration(in.Ms/5)*time.Millisecond), 0
			for time.Now().Before(end) {
				for i := 0; i < 100; i++ {
					must(one())
				}
				calls += 100
			}
			if us := (cpu() - before) / float64(calls); round > 0 && us < best {
				best = us
			}
		}
		out[each.Name] = best
	}
	must(json.NewEncoder(os.Stdout).Encode(out))
}

func inputWith(input *openapi3filter.RequestValidationInput, body []byte) *openapi3filter.RequestValidationInput {
	request := *input.Request
	request.Body = nopCloser{bytes.NewReader(body)}
	copied := *input
	copied.Request = &request
	return &copied
}

type nopCloser struct{ *bytes.Reader }

func (nopCloser) Close() error { return nil }
