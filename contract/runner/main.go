package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"strings"
	"syscall"
)

// flags are the command line, but for what belongs to the lab.
type flags struct {
	Config
	parallel, servers int
	filter, profiles  string
	report            string
	maxDiff           int
	missing           bool
	pending           string
	updatePending     bool
	differences       string
}

func parseFlags(command string, args []string) (flags, []string) {
	var f flags
	fs := flag.NewFlagSet("contract "+command, flag.ExitOnError)
	fs.StringVar(&f.Binary, "binary", "", "server binary to start per profile")
	fs.StringVar(&f.ServeArgs, "serve-args", "serve", "arguments that make the binary serve")
	fs.StringVar(&f.MigrateArgs, "migrate-args", "migrate", "arguments that make the binary migrate its database (empty: it migrates on serve)")
	fs.StringVar(&f.Base, "base", "", "URL of a running server, instead of --binary; needs --profile")
	fs.StringVar(&f.BaseProfile, "profile", "", "only scenarios of this profile")
	fs.StringVar(&f.PG, "pg", os.Getenv("CONTRACT_PG"), "superuser URL of a PostgreSQL server, without database (default: a private one is started)")
	fs.StringVar(&f.DBPrefix, "db-prefix", "contract_", "prefix of the databases that are created (and dropped)")
	fs.IntVar(&f.PortBase, "port-base", 9200, "first of the loopback ports to use")
	fs.IntVar(&f.PortCount, "port-count", 40, "number of ports")
	fs.StringVar(&f.CADir, "ca-dir", "", "folder that keeps the proxy's CA (ca.pem, ca.key) between runs; for --base")
	fs.StringVar(&f.LogDir, "logs", "", "folder for server logs")
	fs.BoolVar(&f.Verbose, "v", false, "print every scenario as it ends, and the differences of pending ones")
	fs.IntVar(&f.parallel, "j", 4, "scenarios in parallel")
	fs.IntVar(&f.servers, "servers", 3, "servers in parallel")
	fs.StringVar(&f.filter, "filter", "", "only scenarios whose area/name matches this regexp")
	fs.StringVar(&f.report, "report", "", "write a JSON report here")
	fs.StringVar(&f.profiles, "profiles", "", "profile file (default: built in)")
	fs.IntVar(&f.maxDiff, "max-diff", 8, "differences shown per failing scenario")
	fs.BoolVar(&f.missing, "missing", false, "record: only scenarios that have no expectation yet")
	fs.StringVar(&f.pending, "pending", "", "check: list of scenarios that need not pass yet, and must not")
	fs.BoolVar(&f.updatePending, "update-pending", false, "check: take the scenarios that pass off the list of --pending")
	fs.StringVar(&f.differences, "differences", "", "check: document that must explain every `difference:` of a step")
	_ = fs.Parse(args) // ExitOnError
	return f, fs.Args()
}

func main() {
	if len(os.Args) < 2 {
		usage(os.Stderr, 2)
	}
	command := os.Args[1]
	switch command {
	case "record", "check", "list", "env":
	case "help", "-h", "--help":
		usage(os.Stdout, 0)
	default:
		usage(os.Stderr, 2)
	}
	f, args := parseFlags(command, os.Args[2:])
	status, err := execute(command, f, args)
	if err != nil {
		fmt.Fprintln(os.Stderr, "contract:", err)
		os.Exit(2)
	}
	os.Exit(status)
}

func usage(to *os.File, status int) {
	fmt.Fprintln(to, `usage: contract COMMAND [flags] FILE-OR-FOLDER...

  check   replay the scenarios against a server and judge the answers
  list    name the scenarios
  env     name the profiles, or print the environment of one (--profile)
  record  write the expectations, from the answers of a reference server

contract COMMAND -h lists the flags.`)
	os.Exit(status)
}

// execute runs a command and returns the exit status.
func execute(command string, f flags, args []string) (int, error) {
	profiles, err := loadProfiles(f.profiles)
	if err != nil {
		return 0, err
	}
	if command == "env" {
		return 0, printEnv(f.Config, profiles)
	}
	if len(args) == 0 {
		return 0, errors.New("name at least one scenario file or folder")
	}
	suite, err := loadSuite(args)
	if err != nil {
		return 0, err
	}
	todo, skipped, err := suite.choose(f, command)
	if err != nil {
		return 0, err
	}
	if command == "list" {
		for _, s := range todo {
			fmt.Printf("%-16s %-22s %s\n", s.area, s.Profile, s.Name)
		}
		fmt.Println(len(todo), "scenarios")
		return 0, nil
	}
	list, err := suite.verify(f)
	if err != nil {
		return 0, err
	}
	results, err := replayAll(f, profiles, suite, todo, command == "record")
	if err != nil {
		return 0, err
	}
	if command == "record" {
		return suite.save(results)
	}
	return judge(f, list, results, skipped)
}

// replayAll runs the scenarios in a lab of their own.
func replayAll(f flags, profiles *profileFile, suite *suite, todo []*Scenario, record bool) ([]*result, error) {
	if (f.Binary == "") == (f.Base == "") {
		return nil, errors.New("give either --binary or --base")
	}
	if f.Base != "" && f.BaseProfile == "" {
		return nil, errors.New("--base needs --profile")
	}
	lab, err := newLab(f.Config, profiles)
	if err != nil {
		return nil, err
	}
	defer lab.close()
	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-interrupted
		lab.close()
		os.Exit(130)
	}()
	p := &replay{lab: lab, expected: suite.expected, record: record, verbose: f.Verbose, slots: make(chan struct{}, f.parallel)}
	return p.run(todo, f.servers), nil
}

// suite is all scenarios with their expectations.
type suite struct {
	files    []*File
	expected map[*File]Expected
}

func loadSuite(paths []string) (*suite, error) {
	files, err := loadFiles(paths)
	if err != nil {
		return nil, err
	}
	s := &suite{files: files, expected: map[*File]Expected{}}
	for _, f := range files {
		if s.expected[f], err = loadExpected(f.expectedPath()); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// choose returns the scenarios that the flags ask for, and how many of them
// cannot be run against a server that is not ours.
func (s *suite) choose(f flags, command string) (todo []*Scenario, skipped int, err error) {
	filter, err := regexp.Compile(f.filter)
	if err != nil {
		return nil, 0, fmt.Errorf("--filter: %w", err)
	}
	for _, file := range s.files {
		for _, sc := range file.Scenarios {
			switch {
			case !filter.MatchString(sc.id()),
				f.BaseProfile != "" && sc.Profile != f.BaseProfile,
				command == "record" && f.missing && s.expected[file][sc.Name] != nil:
			case f.Base != "" && sc.Instance != "":
				fmt.Printf("SKIP %s (needs an empty database of its own)\n", sc.id())
				skipped++
			default:
				todo = append(todo, sc)
			}
		}
	}
	return todo, skipped, nil
}

// verify checks the suite against the documents around it, and returns the
// pending list.
func (s *suite) verify(f flags) (*pendingList, error) {
	if f.differences != "" {
		if err := s.checkDifferences(f.differences); err != nil {
			return nil, err
		}
	}
	if f.pending == "" {
		if f.updatePending {
			return nil, errors.New("--update-pending needs --pending")
		}
		return &pendingList{}, nil
	}
	list, err := loadPending(f.pending)
	if err != nil {
		return nil, err
	}
	return list, list.check(s.areas())
}

// areas maps each area to the names of its scenarios.
func (s *suite) areas() map[string][]string {
	out := map[string][]string{}
	for _, file := range s.files {
		for _, sc := range file.Scenarios {
			out[sc.area] = append(out[sc.area], sc.Name)
		}
	}
	return out
}

// save writes what was observed as the new expectations.
func (s *suite) save(results []*result) (status int, err error) {
	for _, r := range results {
		if r.Error != "" {
			status = 1
			fmt.Printf("NOT RECORDED %s step %d %s: %s\n", r.id(), r.FailedStep, r.Request, r.Error)
			continue
		}
		s.expected[r.sc.file][r.Name] = r.observed
	}
	for _, f := range s.files {
		current := Expected{}
		for _, sc := range f.Scenarios {
			if e, ok := s.expected[f][sc.Name]; ok {
				current[sc.Name] = e
			}
		}
		if err := saveExpected(f.expectedPath(), current); err != nil {
			return status, err
		}
	}
	return status, nil
}

// printEnv prints a profile's environment, or the profiles' names.
func printEnv(cfg Config, pf *profileFile) error {
	if cfg.BaseProfile == "" {
		for _, name := range sortedNames(pf.Profiles) {
			fmt.Println(name)
		}
		return nil
	}
	l := &Lab{profiles: pf, cfg: cfg, fakes: &Fakes{base: fmt.Sprintf("http://127.0.0.1:%d", cfg.PortBase)}, proxy: &Proxy{CAFile: "CA_FILE"}}
	if cfg.CADir != "" {
		var err error
		if l.proxy, err = newProxy(l.fakes, "", cfg.CADir); err != nil {
			return err
		}
	}
	env, sqls, err := l.environ(cfg.BaseProfile, "DATABASE_URL", 9999)
	if err != nil {
		return err
	}
	for _, q := range sqls {
		fmt.Println("# run first:", strings.Join(strings.Fields(q), " "))
	}
	for _, k := range sortedNames(env) {
		fmt.Printf("%s=%s\n", k, env[k])
	}
	return nil
}
