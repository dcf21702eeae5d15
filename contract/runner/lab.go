package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/lib/pq"

	"github.com/truegrant/truegrant/devdb"
)

// Lab owns everything the scenarios share: fakes, ports, the database cluster.
type Lab struct {
	profiles *profileFile
	fakes    *Fakes
	proxy    *Proxy
	cfg      Config
	dir      string
	cluster  *devdb.Cluster // ours, if no server was given
	mu       sync.Mutex
	nextPort int
	usedPort map[int]bool
	template sync.Once
	prepared atomic.Bool // the template database has been made
	tmplErr  error
}

// Config is what the command line says about the lab.
type Config struct {
	Binary, ServeArgs, MigrateArgs string
	Base, BaseProfile              string
	PG, DBPrefix                   string
	PortBase, PortCount            int
	LogDir, CADir                  string
	Verbose                        bool
}

func newLab(cfg Config, pf *profileFile) (*Lab, error) {
	dir, err := os.MkdirTemp("", "contract")
	if err != nil {
		return nil, err
	}
	s, err := newSigner()
	if err != nil {
		return nil, err
	}
	l := &Lab{profiles: pf, fakes: newFakes(s), cfg: cfg, dir: dir, nextPort: cfg.PortBase + 3, usedPort: map[int]bool{}}
	if err := l.fakes.listen(fmt.Sprintf("127.0.0.1:%d", cfg.PortBase), fmt.Sprintf("127.0.0.1:%d", cfg.PortBase+1)); err != nil {
		return nil, err
	}
	caDir := dir
	if cfg.CADir != "" {
		caDir = cfg.CADir
	}
	l.proxy, err = newProxy(l.fakes, fmt.Sprintf("127.0.0.1:%d", cfg.PortBase+2), caDir)
	if err != nil {
		return nil, err
	}
	if err := l.startCluster(); err != nil {
		l.close()
		return nil, err
	}
	return l, nil
}

func (l *Lab) close() {
	l.dropTemplate()
	if l.cluster != nil {
		_ = l.cluster.Stop()
		_ = devdb.Reset(context.Background(), filepath.Join(l.dir, "pg"))
	}
	_ = os.RemoveAll(l.dir)
}

// dropTemplate removes the template database, if one was made.
func (l *Lab) dropTemplate() {
	if !l.prepared.Load() {
		return
	}
	if admin, err := l.adminDB("postgres"); err == nil {
		_, _ = admin.Exec(`drop database if exists ` + l.cfg.DBPrefix + `template with (force)`)
		admin.Close()
	}
}

// startCluster runs a PostgreSQL server of our own if none was given.
func (l *Lab) startCluster() (err error) {
	if l.cfg.Base != "" {
		return nil
	}
	if l.cfg.PG != "" {
		l.cfg.PG, err = withoutTLS(l.cfg.PG)
		return err
	}
	l.cluster, err = devdb.Start(context.Background(), devdb.Options{Dir: filepath.Join(l.dir, "pg")})
	if err != nil {
		return err
	}
	l.cfg.PG = l.cluster.URL("")
	return nil
}

func (l *Lab) takePort() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := 0; i < 10*l.cfg.PortCount; i++ {
		p := l.nextPort
		l.nextPort++
		if l.nextPort >= l.cfg.PortBase+l.cfg.PortCount {
			l.nextPort = l.cfg.PortBase + 3
		}
		if l.usedPort[p] {
			continue
		}
		c, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", p))
		if err != nil {
			continue
		}
		c.Close()
		l.usedPort[p] = true
		return p
	}
	return 0
}

// environ expands the profile's env for one server instance.
func (l *Lab) environ(profile, dbURL string, port int) (map[string]string, []string, error) {
	env, sqls, err := l.profiles.resolve(profile)
	if err != nil {
		return nil, nil, err
	}
	r := strings.NewReplacer(
		"{{fakes}}", l.fakes.base, "{{smtp_port}}", fmt.Sprint(l.cfg.PortBase+1),
		"{{proxy}}", fmt.Sprintf("http://127.0.0.1:%d", l.cfg.PortBase+2), "{{ca}}", l.proxy.CAFile,
		"{{port}}", fmt.Sprint(port), "{{database_url}}", dbURL, "{{hook_secret}}", "v1,whsec_"+hookSecretB64,
	)
	for k, v := range env {
		env[k] = r.Replace(v)
	}
	return env, sqls, nil
}

func (l *Lab) adminDB(name string) (*sql.DB, error) {
	u, err := url.Parse(l.cfg.PG)
	if err != nil {
		return nil, err
	}
	u.Path = "/" + name
	return sql.Open("postgres", u.String())
}

func (l *Lab) roleURL(db string) string {
	u, _ := url.Parse(l.cfg.PG)
	u.User = url.UserPassword("supabase_auth_admin", l.rolePassword())
	u.Path = "/" + db
	return u.String()
}

// withoutTLS adds sslmode=disable to a URL that does not say: the server is
// nearly always a local one, and drivers differ in what they assume.
func withoutTLS(databaseURL string) (string, error) {
	u, err := url.Parse(databaseURL)
	if err != nil {
		return "", errors.New("the PostgreSQL URL cannot be parsed") // the cause may quote the password
	}
	q := u.Query()
	if q.Get("sslmode") == "" {
		q.Set("sslmode", "disable")
		u.RawQuery = q.Encode()
	}
	return u.String(), nil
}

// rolePassword is the password of supabase_auth_admin: the superuser's, so that
// a server which checks passwords does not get a role with a known one.
func (l *Lab) rolePassword() string {
	if u, err := url.Parse(l.cfg.PG); err == nil {
		if password, ok := u.User.Password(); ok {
			return password
		}
	}
	return "root" // the server trusts everybody
}

// prepareTemplate creates the role and a migrated template database once.
func (l *Lab) prepareTemplate() error {
	l.template.Do(func() {
		l.prepared.Store(true)
		l.tmplErr = func() error {
			admin, err := l.adminDB("postgres")
			if err != nil {
				return err
			}
			defer admin.Close()
			name := l.cfg.DBPrefix + "template"
			for _, q := range []string{
				`do $$ begin
				  if not exists (select 1 from pg_roles where rolname = 'supabase_auth_admin') then
				    create user supabase_auth_admin noinherit createrole login password ` + pq.QuoteLiteral(l.rolePassword()) + `;
				  end if; end $$`,
				`drop database if exists ` + name + ` with (force)`,
				`create database ` + name,
			} {
				if _, err := admin.Exec(q); err != nil {
					return fmt.Errorf("prepare the template database: %w", err)
				}
			}
			tdb, err := l.adminDB(name)
			if err != nil {
				return err
			}
			defer tdb.Close()
			for _, q := range []string{
				`create schema if not exists auth authorization supabase_auth_admin`,
				`grant create on database ` + name + ` to supabase_auth_admin`,
				`alter role supabase_auth_admin in database ` + name + ` set search_path = 'auth'`,
			} {
				if _, err := tdb.Exec(q); err != nil {
					return err
				}
			}
			if err := l.checkRole(name); err != nil || l.cfg.MigrateArgs == "" {
				return err
			}
			env, _, err := l.environ("default", l.roleURL(name), 0)
			if err != nil {
				return err
			}
			cmd := l.command(l.cfg.MigrateArgs, env)
			out, err := cmd.CombinedOutput()
			if err != nil {
				return fmt.Errorf("migrate: %w\n%s", err, out)
			}
			return nil
		}()
	})
	return l.tmplErr
}

func (l *Lab) command(args string, env map[string]string) *exec.Cmd {
	bin, _ := filepath.Abs(l.cfg.Binary)
	cmd := exec.Command(bin, strings.Fields(args)...)
	cmd.Dir = l.dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + l.dir, "TZ=UTC"}
	var keys []string
	for k := range env {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	for _, k := range keys {
		cmd.Env = append(cmd.Env, k+"="+env[k])
	}
	dieWithUs(cmd)
	return cmd
}

// checkRole reports a role that exists with another password, which would
// otherwise look like a fault of the server under test.
func (l *Lab) checkRole(db string) error {
	conn, err := sql.Open("postgres", l.roleURL(db))
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.Ping(); err != nil {
		return fmt.Errorf("role supabase_auth_admin must have the password of the superuser in --pg: %w", err)
	}
	return nil
}
