package main

import (
	"fmt"
	"strings"
	"time"
)

func (r *run) args(st *Step) map[string]any {
	m, _ := r.sub(st.Args).(map[string]any)
	if m == nil {
		m = map[string]any{}
	}
	return m
}

func str(m map[string]any, k string) string { return toString(m[k]) }

func duration(v any, def time.Duration) time.Duration {
	if d, err := time.ParseDuration(toString(v)); err == nil {
		return d
	}
	return def
}

// actions are the steps that are no requests.
func actions() map[string]func(*run, *Step) (any, error) {
	return map[string]func(*run, *Step) (any, error){
		"let":     (*run).actLet,
		"sleep":   (*run).actSleep,
		"exec":    (*run).actExec,
		"sql":     (*run).actSql,
		"mail":    (*run).actMail,
		"nomail":  (*run).actNomail,
		"sms":     (*run).actSms,
		"hook":    (*run).actHook,
		"hooklog": (*run).actHooklog,
		"idp":     (*run).actIdp,
		"idplog":  (*run).actIdplog,
		"netlog":  (*run).actNetlog,
		"jwt":     (*run).actJwt,
		"idtoken": (*run).actIdtoken,
		"totp":    (*run).actTotp,
		"siwe":    (*run).actSiwe,
		"siws":    (*run).actSiwe,
		"saml":    (*run).actSaml,
		"passkey": (*run).actPasskey,
	}
}

// action executes a step that is no request.
func (r *run) action(st *Step) (any, error) {
	act, ok := actions()[st.Action]
	if !ok {
		return nil, fmt.Errorf("unknown action %s", st.Action)
	}
	return act(r, st)
}

// actLet sets variables.
func (r *run) actLet(st *Step) (any, error) {
	m := st.Args.(map[string]any)
	for _, k := range sortedNames(m) {
		r.vars[k] = r.sub(m[k])
	}
	return nil, nil
}

// actSleep waits.
func (r *run) actSleep(st *Step) (any, error) {
	time.Sleep(duration(st.Args, time.Second))
	return nil, nil
}

// actExec changes rows.
func (r *run) actExec(st *Step) (any, error) {
	if r.srv.DB == nil {
		return nil, errNoDB
	}
	if _, err := r.srv.DB.Exec("set search_path = auth, public; " + r.str(st.Args.(string))); err != nil {
		return nil, fmt.Errorf("exec: %w", err)
	}
	return nil, nil
}

// actSql reads rows.
func (r *run) actSql(st *Step) (any, error) {
	if r.srv.DB == nil {
		return nil, errNoDB
	}
	rows, err := r.query(r.str(st.Args.(string)))
	if err != nil {
		return map[string]any{"sql": st.Args, "error": r.n.text(err.Error())}, nil
	}
	if m, ok := st.Opt["save"].(map[string]any); ok {
		for _, k := range sortedNames(m) {
			v, ok := lookup(rows, toString(m[k]))
			if !ok {
				return nil, fmt.Errorf("sql capture %s: no %v in %s", k, m[k], show(rows))
			}
			r.setVar(k, v)
		}
	}
	if st.Setup {
		return nil, nil
	}
	return map[string]any{"sql": st.Args, "rows": r.n.value("", rows)}, nil
}

var errNoDB = fmt.Errorf("no database (set DATABASE_URL)")

func (r *run) query(q string) ([]any, error) {
	rows, err := r.srv.DB.Query(q)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	cols, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	out := []any{}
	for rows.Next() {
		vals := make([]any, len(cols))
		ptrs := make([]any, len(cols))
		for i := range vals {
			ptrs[i] = &vals[i]
		}
		if err := rows.Scan(ptrs...); err != nil {
			return nil, err
		}
		row := map[string]any{}
		for i, c := range cols {
			v := vals[i]
			if b, ok := v.([]byte); ok {
				s := string(b)
				v = s
				if strings.HasPrefix(s, "{") || strings.HasPrefix(s, "[") {
					if j := decodeJSON(b); j != nil {
						v = j
					}
				}
			}
			row[c] = v
		}
		out = append(out, row)
	}
	return out, rows.Err()
}
