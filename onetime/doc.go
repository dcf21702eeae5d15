// Package onetime issues, throttles and redeems the codes and links that prove
// an address. A code is spent by the statement that makes the change it
// permits, so it works once under any concurrency.
//
// It also sends the notices that tell users of changes of their accounts: they
// go by the same [Sender], to the same recipients, within the same budget.
package onetime
