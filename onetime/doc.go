// Package onetime issues, throttles and redeems the codes and links that prove
// an address. A code is spent by the statement that makes the change it
// permits, so it works once under any concurrency.
package onetime
