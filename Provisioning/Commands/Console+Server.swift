// The server that this machine is, or becomes: installed, looked at, taken back and removed, by root and with nobody signed in.
import Glibc
import HTTP
import Installation
import Posix
import Service
import Site
import Units
import Upgrade
import Web

extension Console {
    func server(_ arguments: inout Arguments, _ environment: [String: String]) async throws {
        let verb = try arguments.word("install, status, rollback, destroy, update, back or restore")
        // What is made is readable as its mode says, whatever the caller's shell keeps closed.
        umask(0o022)
        let loop = try Loop(name: "server")
        let commands = HostCommands(loop: loop, environment: environment)
        let machine = HostMachine(root: try Self.root(arguments.optional("root"))) { try await commands.run($0) }
        let site = ServerSite(machine: machine, loop: loop, environment: environment)
        switch verb {
        case "install": try await install(&arguments, site)
        case "status":
            let isText = arguments.has("text")
            try arguments.finish()
            try await status(site, isText: isText)
        case "rollback":
            try arguments.finish()
            try await rollBack(site)
        case "destroy": try await destroy(&arguments, site)
        case "update": try await update(&arguments, site)
        case "back": try await goBack(&arguments, site)
        case "restore": try await restore(&arguments, site)
        case let other: throw Arguments.Fault("'server \(other)' is not a command; see --help")
        }
    }

    // MARK: Install

    private func install(_ arguments: inout Arguments, _ site: ServerSite) async throws {
        var given: [String: String] = [:]
        for name in SiteAnswers.names {
            // An option that is given several times is a list.
            let values = try name == "address" ? arguments.all(name) : [arguments.optional(name)].compactMap { $0 }
            if !values.isEmpty { given[name] = values.joined(separator: ",") }
        }
        let from = try arguments.optional("from") ?? Self.bundle
        let (isDry, isAgreed, takesBack) = (arguments.has("dry-run"), arguments.has("yes"), arguments.has("rollback"))
        try arguments.finish()
        let questions = ServerQuestions(ask)
        let journal = try SiteJournal.read(on: site.machine).load()
        let isFirst = !journal.isOpen && journal.state != .active
        if isFirst { for line in ServerReview.welcome { tell(line) } }
        let source = try SiteSource(from)
        var answers = try questions.answers(given, journal)
        while true {
            let (plan, view, isNeeded) = try await review(answers, source, site)
            if isDry { return show(view) }
            let blocking = view.blocking
            guard blocking.isEmpty else {
                throw Arguments.Fault("nothing was made: \(blocking.joined(separator: ", ")) must be set right first, as said above")
            }
            guard isNeeded, !isAgreed else { return try await make(plan, takesBack) }
            switch questions.verdict(mayChange: isFirst) {
            case .yes: return try await make(plan, takesBack)
            case .no: throw Arguments.Fault("nothing was made")
            case .change(let name): answers = try questions.changed(answers, name, tell: tell)
            }
        }
    }

    /// Shows what would be made with these answers, and what the machine says to it.
    private func review(
        _ answers: SiteAnswers, _ source: SiteSource, _ site: ServerSite
    ) async throws -> (plan: SitePlan, view: PlanView, isNeeded: Bool) {
        guard site.machine.isThisOne || answers.certificate != .acme else {
            throw Arguments.Fault("--certificate acme needs the machine itself to run: install there, or use another one with --root")
        }
        let plan = site.plan(answers, source)
        let planned = try await Installer(try plan.steps(), store: SiteJournal.read(on: site.machine), now: unixMilliseconds).plan()
        let isNeeded = planned.contains(where: \.isNeeded)
        var findings: [Finding] = []
        if isNeeded { findings = await preflight(SiteProbes(plan).all) }
        let view = PlanView(plan, findings, planned)
        for line in ServerReview.lines(answers) + view.lines { tell(line) }
        return (plan, view, isNeeded)
    }

    private func make(_ plan: SitePlan, _ takesBack: Bool) async throws {
        let store = try SiteJournal.change(on: plan.machine)
        let (steps, began) = (try plan.steps(), Instant.now)
        let installer = Installer(steps, store: store, now: unixMilliseconds, tell: ServerReview.progress(steps, tell: tell))
        do {
            let outcome = try await installer.install(Journal.Order(settings: plan.answers.fields, version: ProgramContext.version))
            let after = try next(plan, outcome)
            show(
                OutcomeView(
                    state: outcome.state, origin: plan.answers.origin, changed: outcome.changed, left: [], next: after,
                    seconds: (Instant.now - began).seconds))
        } catch let fault as StepFault {
            guard takesBack, try !isOwnedMeanwhile(plan.machine, try store.load()) else {
                throw Arguments.Fault(
                    "\(fault)\nwhat was made until then stays: 'strata-provision server install' goes on with it, 'strata-provision server "
                        + "rollback' takes it back")
            }
            tell("failed: \(fault)")
            _ = try await installer.rollBack()
            throw Arguments.Fault("\(fault)\nwhat this run had made was taken back")
        }
    }

    /// What is for a person to do after an installation.
    private func next(_ plan: SitePlan, _ outcome: Outcome) throws -> [String] {
        let (machine, answers) = (plan.machine, plan.answers)
        var next: [String] = []
        guard machine.isThisOne else {
            return ["start the machine that has these files, and call 'strata-provision server install' on it: it makes the rest"]
        }
        let started = outcome.changed.contains { $0.hasSuffix(".service") }
        if outcome.changed.contains("programs"), !started {
            next.append("the programs were replaced: systemctl restart strata-control strata-pool")
        }
        if try !SitePlan.isOwned(machine) {
            let trust = answers.certificate == .own ? " --ca \(SitePaths.authority)" : ""
            next.append(
                "become its first owner, by the secret in \(SitePaths.setupSecret): strata-provision "
                    + "--server \(answers.origin)\(trust) register --setup-secret-file \(SitePaths.setupSecret) "
                    + "--organization NAME --slug SLUG --email MAIL --name NAME --password-file FILE")
        }
        if !outcome.changed.isEmpty {
            var ports = ["TCP \(answers.httpsPort)"]
            if answers.certificate == .acme { ports.append("TCP 80") }
            if answers.hasPool { ports.append("UDP \(answers.poolPorts.lowerBound) to \(answers.poolPorts.upperBound)") }
            if answers.roomWorkers > 0 { ports.append("UDP \(answers.roomPort) to \(answers.roomPort + answers.roomWorkers - 1)") }
            next.append("open in the firewall: \(ports.joined(separator: ", "))")
        }
        return next
    }

    // MARK: Status, rollback and removal

    private func status(_ site: ServerSite, isText: Bool) async throws {
        let store = SiteJournal.read(on: site.machine)
        let plan = try site.installed(try store.load())
        let status = try await plan.status(store)
        let view = StatusView(status: status, figures: await site.figures(plan, status))
        if isText { for line in view.lines { say(line) } } else { show(view) }
        if status.health == .unhealthy, let worst = status.problems.first(where: { $0.health == .unhealthy }) {
            throw Arguments.Fault("the server is unhealthy: \(worst.what): \(worst.advice)")
        }
    }

    private func rollBack(_ site: ServerSite) async throws {
        let journal = try SiteJournal.read(on: site.machine).load()
        let plan = try site.installed(journal)
        if try isOwnedMeanwhile(site.machine, journal) {
            throw Arguments.Fault("somebody owns this server already: 'server install' goes on, 'server destroy' removes it")
        }
        let outcome = try await Installer(
            try plan.steps(), store: try SiteJournal.change(on: site.machine), now: unixMilliseconds, tell: tellProgress
        ).rollBack()
        show(OutcomeView(state: outcome.state, origin: plan.answers.origin, changed: outcome.changed, left: outcome.left, next: []))
    }

    /// Whether somebody has become the owner of a server that the open run has begun: what they have put there would go with it.
    private func isOwnedMeanwhile(_ machine: HostMachine, _ journal: Journal) throws -> Bool {
        try journal.openEntries.contains { $0.step == "folders" } && SitePlan.isOwned(machine)
    }

    private func destroy(_ arguments: inout Arguments, _ site: ServerSite) async throws {
        let (purge, confirmed) = (arguments.has("purge"), try arguments.optional("confirm"))
        try arguments.finish()
        let plan = try site.installed(try SiteJournal.read(on: site.machine).load())
        let host = plan.answers.host
        tell(
            purge
                ? "The server \(host) ends, and all that it keeps is gone: its database, recordings, backups, keys and configuration."
                : "The server \(host) ends. Its database, recordings, backups, keys and configuration stay; --purge removes them too.")
        let typed = confirmed ?? ServerQuestions(ask).typed("Type \(host) to go on: ")
        guard typed == host else {
            let was = typed.map { "'\($0)'" } ?? "not"
            throw Arguments.Fault("nothing was removed: \(host) has to be typed, or given by --confirm, and it was \(was)")
        }
        // What is removed here it would put back there.
        let updater = try ServerUpdater.hold(site.machine)
        defer { updater?.release() }
        let installer = Installer(
            try plan.steps(), store: try SiteJournal.change(on: site.machine), now: unixMilliseconds, tell: tellProgress)
        let outcome = try await installer.remove(purge: purge)
        try ServerSlots(plan.machine, kind: Self.machineClass).erase()
        if purge, outcome.left.isEmpty { try SiteJournal.erase(on: site.machine) } else { try ServerUpdater.forget(on: site.machine) }
        show(OutcomeView(state: outcome.state, origin: plan.answers.origin, changed: outcome.changed, left: outcome.left, next: []))
    }

    // MARK: Parts

    var tellProgress: @Sendable (Progress) -> Void {
        let tell = self.tell
        return { progress in if let line = progress.line { tell(line) } }
    }

    /// A machine's files by `--root`; empty for this one.
    private static func root(_ option: String?) throws -> String {
        guard var root = option else { return "" }
        while root.hasSuffix("/") { root.removeLast() }
        guard root.isEmpty || root.hasPrefix("/") && access(root, F_OK) == 0 else {
            throw Arguments.Fault("--root is '\(root)'; expected the absolute path of a folder that is there")
        }
        return root
    }

    /// What this program is part of, as `ci/bundle` makes it.
    private static var bundle: String { UnixSocket.folder(of: UnixSocket.folder(of: ProgramContext.executable)) }
}

/// The machine of a server, and what its plans need to know it.
struct ServerSite: Sendable {
    let machine: HostMachine
    let loop: Loop
    let environment: [String: String]

    func plan(_ answers: SiteAnswers, _ source: SiteSource) -> SitePlan {
        SitePlan(answers, from: source, on: machine, now: { unixMilliseconds() / 1000 }, get: get)
    }

    /// The status of the answer at a URL.
    var get: @Sendable (_ url: String) async throws -> Int {
        let (loop, environment) = (self.loop, self.environment)
        return { url in
            var options = ClientOptions()
            options.connectTimeout = .seconds(5)
            options.responseTimeout = .seconds(10)
            options.proxy = try Console.proxy(nil, environment, for: url)
            return try await Client(loop: loop, options: options).request(.get, url).status.code
        }
    }

    /// What was installed, whatever became of where it came from.
    func installed(_ journal: Journal) throws -> SitePlan {
        guard let order = journal.order else {
            throw Arguments.Fault("there is no server here that 'strata-provision server install' has made")
        }
        return plan(try SiteAnswers(order.settings), SiteSource(installedOn: machine))
    }
}
