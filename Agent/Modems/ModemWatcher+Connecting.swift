// Modems are connected as their owner wants, each by its own `ModemConnection`.
import DBus
import Logging
import Posix
import Units
import Wire

extension ModemWatcher {
    /// Takes the next step with each modem.
    func advance(_ modems: [Modem]) {
        let paths = Set(modems.map(\.path))
        connections = connections.filter { paths.contains($0.key) }
        var soonest: Duration?
        for modem in modems where !resets.contains(modem.path) {
            // Once its card is known it may be another's.
            guard case .access(let access) = accounts.choice(for: modem) else { continue }
            var connection = connections[modem.path].flatMap { $0.access == access ? $0 : nil } ?? ModemConnection(access: access)
            let step = connection.next(modem, pin: attempts[modem.figures.id], now: .now)
            connections[modem.path] = connection
            switch step {
            case .rest: break
            case .wait(let duration): soonest = min(soonest ?? duration, duration)
            case .carryOut(let stage): work(on: stage, modem)
            }
        }
        nextStep?.cancel()
        nextStep = soonest.map { wait in loop.timer(after: wait) { [weak self] in self?.assumeIsolated { $0.publish() } } }
    }

    private func work(on stage: ModemConnection.Stage, _ modem: Modem) {
        works[modem.path] = Task {
            let outcome: Result<Bool, StageFault>
            do throws(StageFault) {
                outcome = .success(try await carryOut(stage, modem))
            } catch {
                outcome = .failure(error)
            }
            finished(stage, modem, outcome)
        }
    }

    private func finished(_ stage: ModemConnection.Stage, _ modem: Modem, _ outcome: Result<Bool, StageFault>) {
        // What is there then is another's work.
        guard !Task.isCancelled else { return }
        works[modem.path] = nil
        guard connections[modem.path] != nil else { return }
        switch outcome {
        case .success(true):
            log.notice("a modem's stage is done", ["id": .text(modem.figures.id), "stage": .text(stage.rawValue)])
            connections[modem.path]?.done(stage, failure: nil, jitter: 0, now: .now)
        // NetworkManager has it.
        case .success(false): connections[modem.path]?.left(now: .now)
        case .failure(let fault):
            log.warning(
                "a modem's stage has failed",
                ["id": .text(modem.figures.id), "stage": .text(stage.rawValue), "reason": .text(fault.reason)])
            connections[modem.path]?.done(stage, failure: fault.reason, jitter: .random(in: 0..<1), now: .now)
        }
        publish()
    }

    /// - Returns: false where the modem is left to NetworkManager.
    private func carryOut(_ stage: ModemConnection.Stage, _ modem: Modem) async throws(StageFault) -> Bool {
        guard try await !isManaged(modem) else { return false }
        switch stage {
        case .unlock: try await unlock(modem)
        case .enable: _ = try await ask(modem, Names.modem, "Enable", [.boolean(true)])
        // Wherever it likes best.
        case .register: _ = try await ask(modem, Names.cellular, "Register", [.text("")])
        case .connect: try await connect(modem)
        case .address: try await address(modem)
        }
        return true
    }

    private func ask(
        _ modem: Modem, _ interface: String, _ member: String, _ arguments: [MethodCall.Argument]
    ) async throws(StageFault) -> Reply {
        // A modem takes up to two minutes for its network.
        try await ask(MethodCall(Names.service, modem.path, interface, member, arguments), timeout: .seconds(150))
    }

    func ask(_ call: MethodCall, timeout: Duration) async throws(StageFault) -> Reply {
        guard let bus else { throw StageFault(.ended) }
        do throws(BusError) {
            return try await bus.call(call, timeout: timeout)
        } catch {
            throw StageFault(error)
        }
    }

    private func connect(_ modem: Modem) async throws(StageFault) {
        guard let access = connections[modem.path]?.access else { return }
        var properties: [String: MethodCall.Argument] = [
            "apn": .text(access.apn), "allow-roaming": .boolean(access.allowsRoaming),
        ]
        if let user = access.user { properties["user"] = .text(user) }
        if let password = access.password { properties["password"] = .text(password.revealed) }
        _ = try await ask(modem, Names.simple, "Connect", [.properties(properties)])
    }

    private func address(_ modem: Modem) async throws(StageFault) {
        var isCarried = false
        for path in modem.bearers {
            let reply = try await ask(.allProperties(Names.service, path, Names.bearer), timeout: .seconds(10))
            guard let addresses = BearerAddresses(reply.values.first?.properties ?? [:]) else { continue }
            isCarried = true
            do {
                try await apply?(addresses)
            } catch {
                throw StageFault("\(error)")
            }
        }
        guard isCarried else { throw StageFault("it shows no connection") }
    }
}

// MARK: - The PIN

extension ModemWatcher {
    private func unlock(_ modem: Modem) async throws(StageFault) {
        guard let pin = connections[modem.path]?.access.pin, let ledger, let sim = modem.simPath else {
            throw StageFault("it shows no SIM card")
        }
        // First on disk: a loss of power must not make one wrong PIN into three.
        try note(PINAttempt(pin, in: modem, .begun), modem, ledger)
        do throws(StageFault) {
            _ = try await ask(MethodCall(Names.service, sim, Names.sim, "SendPin", [.text(pin.revealed)]), timeout: .seconds(60))
        } catch {
            if error.name?.hasSuffix(".IncorrectPassword") == true || error.name?.hasSuffix(".SimPuk") == true {
                try note(PINAttempt(pin, in: modem, .refused), modem, ledger)
            }
            throw error
        }
        try note(nil, modem, ledger)
    }

    func loadAttempts() {
        do {
            attempts = try ledger?.attempts() ?? [:]
        } catch {
            // Sending none is safe: `note` cannot write either while the file cannot be read.
            log.error("which PINs were tried cannot be read: none is sent", ["reason": .text("\(error)")])
        }
    }

    private func note(_ attempt: PINAttempt?, _ modem: Modem, _ ledger: PINLedger) throws(StageFault) {
        do {
            try ledger.write(attempt, for: modem)
            attempts[modem.figures.id] = attempt
        } catch {
            throw StageFault("that its PIN is tried cannot be written down: \(error)")
        }
    }
}

// MARK: - NetworkManager

extension ModemWatcher {
    /// Whether NetworkManager has this modem. One that does not answer may have it.
    private func isManaged(_ modem: Modem) async throws(StageFault) -> Bool {
        let service = "org.freedesktop.NetworkManager"
        do throws(StageFault) {
            // Asked of the bus: the question shall not start the service.
            _ = try await ask(.owner(of: service), timeout: .seconds(10))
        } catch {
            if error.name == "org.freedesktop.DBus.Error.NameHasNoOwner" { return false }
            throw error
        }
        let list = MethodCall(service, "/org/freedesktop/NetworkManager", service, "GetDevices")
        for case .path(let device) in try await ask(list, timeout: .seconds(10)).values.first?.list ?? [] {
            let reply = try await ask(.allProperties(service, device, "\(service).Device"), timeout: .seconds(10))
            guard let properties = reply.values.first?.properties, properties["Managed"]?.boolean == true else { continue }
            let names = [properties["Interface"]?.text, properties["IpInterface"]?.text].compactMap { $0 }
            let isIt = properties["Udi"]?.text == modem.path || names.contains { modem.interfaces.contains($0) || $0 == modem.controlPort }
            if isIt { return true }
        }
        return false
    }
}

/// Why a stage did not come to its end, for a person.
struct StageFault: Error, Sendable {
    let reason: String
    /// The D-Bus error's name.
    let name: String?
    /// Nobody knows whether it comes to its end yet.
    let isUnanswered: Bool

    init(_ reason: String) {
        self.reason = reason
        (name, isUnanswered) = (nil, false)
    }

    init(_ error: BusError) {
        (name, isUnanswered) = (error.name, error == .unanswered)
        guard case .remote(let name, let text) = error else {
            reason = "\(error)"
            return
        }
        // The last part says what it is where the daemon adds nothing.
        reason = (text.isEmpty ? name.split(separator: ".").last.map(String.init) ?? name : text).bounded(to: 200)
    }
}
