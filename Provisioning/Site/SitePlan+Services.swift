// What runs.
import Installation
import Posix

extension SitePlan {
    package static let control = "strata-control.service"
    static let pool = "strata-pool.service"

    func serviceSteps() -> [Step] {
        var steps = [service(Self.control), answering()]
        if answers.certificate == .own { steps.append(service("strata-certificate@\(answers.host).timer", .timer)) }
        // Debian enables it with certbot; where somebody has switched it off nothing would renew.
        if answers.certificate == .acme { steps.append(service("certbot.timer", .timer)) }
        if answers.backupRecipient != nil { steps.append(service("strata-backup.timer", .timer)) }
        if answers.releaseKeys != nil {
            steps.append(service("strata-server-update.path"))
            if machine.isThisOne { steps.append(updaterReport()) }
        }
        guard answers.hasPool else { return steps }
        // A pool that is not enrolled does not start, and it enrolls at a control that runs.
        return steps + (machine.isThisOne ? [enrollment(), service(Self.pool)] : [])
    }

    /// Enabled, and where the machine is this one started.
    private func service(_ unit: String, _ kind: Resource.Kind = .service) -> Step {
        let machine = self.machine
        return Step(
            unit, .service, machine.isThisOne ? "\(unit) is enabled and started" : "\(unit) is enabled",
            resources: [Resource(kind, unit)],
            look: {
                let (isEnabled, isActive) = try await Self.state(of: unit, on: machine)
                if !isEnabled { return .missing("it is not enabled") }
                return isActive || !machine.isThisOne ? .done : .missing("it does not run")
            },
            prepare: {
                let (isEnabled, isActive) = try await Self.state(of: unit, on: machine)
                return "\(isEnabled ? "enabled" : "disabled") \(isActive ? "active" : "inactive")"
            },
            make: {
                // Units that were put there by a run that was cut off may be unknown yet.
                if machine.isThisOne { try await machine.systemctl(["daemon-reload"]) }
                try await machine.systemctl(["enable", unit])
                if machine.isThisOne { try await machine.systemctl(["start", unit]) }
            },
            undo: { before, _ in
                let words = before.split(separator: " ")
                let (isEnabled, isActive) = try await Self.state(of: unit, on: machine)
                if isActive, !words.contains("active") {
                    try await machine.systemctl(["stop", unit])
                    // Receivers and workers of rooms outlive their parents, and would hold their user.
                    try await machine.systemctl(["kill", "--signal=SIGKILL", unit], mayFail: true)
                }
                if isEnabled, !words.contains("enabled") { try await machine.systemctl(["disable", unit]) }
                return .gone
            })
    }

    /// Source: systemctl(1): `is-enabled` and `is-active` tell by their exit.
    static func state(of unit: String, on machine: HostMachine) async throws -> (isEnabled: Bool, isActive: Bool) {
        let isEnabled = try await machine.systemctl(["--quiet", "is-enabled", unit], mayFail: true).isSuccess
        guard machine.isThisOne else { return (isEnabled, false) }
        return (isEnabled, try await machine.systemctl(["--quiet", "is-active", unit], mayFail: true).isSuccess)
    }

    /// Not a thing but a proof: what was started answers.
    private func answering() -> Step {
        let (machine, url, get) = (self.machine, answers.health, self.get)
        return Step(
            "health", .service, "control answers at \(url)",
            look: {
                guard machine.isThisOne else { return .done }
                // try?: whatever it is, it is no answer yet; `make` says what.
                return (try? await get(url)) == 200 ? .done : .missing("it does not answer")
            },
            make: {
                // Its unit is of the type notify: it has said that it is ready.
                let hint = "'journalctl -u strata-control -n 20' says why"
                let status: Int
                do {
                    status = try await get(url)
                } catch {
                    throw SiteFault("control does not answer (\(error)): \(hint)")
                }
                guard status == 200 else { throw SiteFault("control says that it is not well (\(status)): \(hint)") }
            },
            undo: { _, _ in .gone })
    }

    /// Control shows what the updater says of itself, and asks one that has never said anything for nothing.
    private func updaterReport() -> Step {
        let machine = self.machine
        return Step(
            "updater-report", .service, "the updater has said what runs",
            look: { try FileWork.look(machine.place(SitePaths.updateReport)) == nil ? .missing("it has never run") : .done },
            // It ends when it has nothing to do.
            make: { try await machine.systemctl(["start", "strata-server-update.service"]) },
            undo: { _, _ in
                try FileWork.remove(machine.place(SitePaths.updateReport))
                return .gone
            })
    }

    /// The receiver host on this machine belongs to this control: a token of the operator's, redeemed at once.
    private func enrollment() -> Step {
        let (machine, answers) = (self.machine, self.answers)
        return Step(
            "pool-enrollment", .service, "this machine is enrolled as a receiver host at \(answers.origin)", contents: .data,
            resources: [Resource(.secret, SitePaths.poolKey)],
            look: { try FileWork.look(machine.place(SitePaths.poolIdentity)) == nil ? .missing("it is not enrolled") : .done },
            prepare: {
                var before = Before()
                for path in [SitePaths.poolKey, SitePaths.poolIdentity] { try before.note(file: path, on: machine) }
                return try before.text
            },
            make: {
                let (made, token) = ("\(SitePaths.tool)/pool-token", "\(SitePaths.pool)/enrollment-token")
                try await machine.run([
                    "\(SitePaths.programs)/strata-provision", "--server", answers.loopback, "--session", "\(SitePaths.tool)/session.json",
                    "token", "create", "--kind", "pool", "--operator-token-file", SitePaths.operatorToken, "--output", made,
                ])
                let text = try FileWork.read(machine.place(made)) ?? []
                try FileWork.remove(machine.place(made))
                try PlacedFile(.bytes(text), token, .pool, mode: 0o600).put(on: machine)
                // It is good once, and of no use afterwards.
                defer { try? FileWork.remove(machine.place(token)) }
                try await machine.run([
                    "setpriv", "--reuid=strata-pool", "--regid=strata-pool", "--clear-groups", "--no-new-privs",
                    "\(SitePaths.programs)/strata-pool", "enroll", "--server", answers.origin, "--token-file", token, "--config",
                    SitePaths.poolConfiguration,
                ])
            },
            undo: Self.restore(machine))
    }
}
