import Foundation
import Posix
import Support
import Testing
import Units
import Wire

@testable import Modems

@Suite("Connecting modems") struct ModemConnectingTests {
    private static let access = ModemAccess(apn: "internet", pin: Secret("1234"))

    /// A board that connects its modems, and what they were given.
    private func onBoard(
        _ access: ModemAccess = access, own: [ModemAccounts.Own] = [],
        _ body: (Board, MessageBus, ModemStandIn, Guarded<[BearerAddresses]>) async throws -> Void
    ) async throws {
        try await onStage { stage in
            let bus = try await MessageBus(on: stage)
            let standIn = try await bus.standIn()
            let given = Guarded<[BearerAddresses]>([])
            let board = try Board(on: stage, accounts: ModemAccounts(standard: access, own: own)) { addresses in
                given.withLock { $0.append(addresses) }
            }
            await board.watcher.begin()
            do { try await body(board, bus, standIn, given) } catch {
                await board.close()
                throw error
            }
            await board.close()
        }
    }

    private func connecting(_ standIn: ModemStandIn) async throws -> [String] {
        try await standIn.calls().filter { !$0.contains("Setup") }
    }

    /// Addresses that are given when the test says so; being cancelled changes nothing about that.
    private final class HeldWork: Sendable {
        private struct State {
            var waiting: [CheckedContinuation<Void, Never>] = []
            var begun = 0
            var isOpen = false
            /// Of those that were let go.
            var cancelled: [Bool] = []
        }
        private let state = Guarded(State())

        var begun: Int { state.withLock { $0.begun } }
        var cancelled: [Bool] { state.withLock { $0.cancelled } }

        func hold() async {
            await withCheckedContinuation { continuation in
                let isOpen = state.withLock { state -> Bool in
                    state.begun += 1
                    if !state.isOpen { state.waiting.append(continuation) }
                    return state.isOpen
                }
                if isOpen { continuation.resume() }
            }
            let isCancelled = Task.isCancelled
            state.withLock { $0.cancelled.append(isCancelled) }
        }

        /// The one that has waited longest.
        func letOneGo() {
            let first = state.withLock { state -> CheckedContinuation<Void, Never>? in
                state.waiting.isEmpty ? nil : state.waiting.removeFirst()
            }
            first?.resume()
        }

        func open() {
            let waiting = state.withLock { state -> [CheckedContinuation<Void, Never>] in
                defer { state.waiting = [] }
                state.isOpen = true
                return state.waiting
            }
            for continuation in waiting { continuation.resume() }
        }
    }

    @Test("work that a reset broke off and that ends late takes nothing from the next: that is broken off by the next reset too")
    func late() async throws {
        try await onStage { stage in
            let bus = try await MessageBus(on: stage)
            let standIn = try await bus.standIn()
            let held = HeldWork()
            defer { held.open() }
            let board = try Board(on: stage, accounts: ModemAccounts(standard: Self.access)) { _ in await held.hold() }
            await board.watcher.begin()
            try await standIn.run("Modem(0)")
            try await eventually(within: .seconds(10), "its addresses are being given") { held.begun == 1 }
            let modem = board.modems[0]
            let first = await board.watcher.works[modem.path]
            _ = try await board.watcher.reset(modem)
            try await eventually(within: .seconds(5), "they are given again") { held.begun == 2 }
            let second = await board.watcher.works[modem.path]
            held.letOneGo()
            await first?.value
            #expect(await board.watcher.works[modem.path] == second && first != nil && second != nil)
            _ = try await board.watcher.reset(modem)
            held.letOneGo()
            await second?.value
            #expect(held.cancelled == [true, true])
            await board.close()
        }
    }

    @Test("a locked modem is unlocked, switched on, connected, and its interface given its addresses")
    func online() async throws {
        try await onBoard { board, _, standIn, given in
            try await standIn.run("Modem(0, pin='1234')")
            try await board.modems("it is connected") { $0.first?.figures.state == .connected && $0[0].figures.reason == nil }
            #expect(try await connecting(standIn) == ["SendPin 1234", "Enable True", "Connect allow-roaming=0 apn=internet"])
            try await eventually(within: .seconds(5), "the addresses are given") { !given.withLock { $0.isEmpty } }
            let family = BearerAddresses.Family(
                method: .given, address: "10.64.1.2", prefixLength: 30, gateway: "10.64.1.1", nameServers: ["10.74.210.210"], mtu: 1430)
            #expect(given.withLock { $0 } == [BearerAddresses(interface: "wwan0", ipv4: family)])
            // A network that throws it out: it is connected again.
            try await standIn.run("Modem.every[0].state(8)")
            try await eventually(within: .seconds(10), "it is connected again") { given.withLock { $0.count } == 2 }
        }
    }

    @Test("each modem and each SIM card gets what its owner wrote for it, and no card another's PIN")
    func accounts() async throws {
        let card = ModemAccounts.Own(modem: nil, sim: "8949000000000000001", access: ModemAccess(apn: "second", pin: Secret("2222")))
        let device = ModemAccounts.Own(modem: "860000000000002", sim: nil, access: ModemAccess(apn: "third", pin: Secret("3333")))
        try await onBoard(own: [card, device]) { board, _, standIn, _ in
            try await standIn.run(
                "Modem(0, pin='1234'); Modem(1, net='wwan1', pin='2222', apn='second'); Modem(2, net='wwan2', pin='3333', apn='third')")
            try await board.modems("all are connected") { $0.count == 3 && $0.allSatisfy { $0.figures.state == .connected } }
            for (modem, pin, apn) in [(0, "1234", "internet"), (1, "2222", "second"), (2, "3333", "third")] {
                let calls = try await standIn.calls(of: modem).filter { !$0.contains("Setup") }
                #expect(calls == ["SendPin \(pin)", "Enable True", "Connect allow-roaming=0 apn=\(apn)"])
            }
        }
    }

    @Test("a wrong PIN is tried once and never again, not by the next agent either")
    func wrongPIN() async throws {
        try await onBoard { board, _, standIn, _ in
            try await standIn.run("Modem(0, pin='9999')")
            let refused = "its SIM card cannot be unlocked: the configured PIN is wrong, and is not tried again"
            try await board.modems("it is refused") { $0.first?.figures.reason == refused && $0[0].pinTries == 2 }
            try await standIn.run("m = Modem.every[0]; m.change(MODEM, SignalQuality=(1, True)); m.change(MODEM, SignalQuality=(2, True))")
            let next = try Board(on: board.stage, accounts: ModemAccounts(standard: Self.access))
            await next.watcher.begin()
            try await next.modems("the next one knows") { $0.first?.figures.reason == refused }
            // Somebody unlocks it and it is locked again: all tries are there, and the PIN is as wrong as before.
            try await standIn.run("m.change(MODEM, UnlockRetries={2: 3, 4: 10})")
            try await next.modems("it is heard") { $0.first?.pinTries == 3 }
            #expect(try await connecting(standIn) == ["SendPin 1234"])
            await next.close()
        }
    }

    @Test("the last try for a PIN is left to a person", arguments: [0, 1])
    func lastTry(tries: Int) async throws {
        try await onBoard { board, _, standIn, _ in
            try await standIn.run("Modem(0, pin='1234', tries=\(tries))")
            let left = tries == 1 ? "one try is" : "no try is"
            try await board.modems("it is left") {
                $0.first?.figures.reason == "its SIM card cannot be unlocked: \(left) left for its PIN, which is a person's"
            }
            #expect(try await connecting(standIn).isEmpty)
        }
    }

    @Test("a refused registration, roaming that is not allowed and an unknown access point are named with their stage")
    func named() async throws {
        try await onBoard { board, _, standIn, _ in
            try await standIn.run(
                "a = Modem(0, registration=3); b = Modem(1, net='wwan1', registration=5); c = Modem(2, net='wwan2', apn='other')")
            let reasons = [
                "no network takes it: the network refuses this SIM card",
                "it cannot be connected: it is roaming in the network of Orange F, which is not allowed",
                "it cannot be connected: Service option not subscribed",
            ]
            try await board.modems("each says why") { $0.map { $0.figures.reason ?? "" } == reasons }
            #expect(try await standIn.calls(of: 1).filter { !$0.contains("Setup") } == ["Enable True"])
        }
        try await onBoard(ModemAccess(apn: "internet", allowsRoaming: true)) { board, _, standIn, _ in
            try await standIn.run("Modem(0, registration=5)")
            try await board.modems("it is connected abroad") { $0.first?.figures.state == .connected }
            #expect(try await connecting(standIn).last == "Connect allow-roaming=1 apn=internet")
        }
    }

    @Test("a modem that NetworkManager manages is left to it, one that it does not is ours")
    func networkManager() async throws {
        for managed in [true, false] {
            try await onBoard { board, _, standIn, _ in
                try await standIn.run("network_manager(\(managed ? "True" : "False")); Modem(0); Modem(1, net='wwan1')")
                try await board.modems("the other is connected") { $0.last?.figures.state == .connected }
                if managed {
                    #expect(try await connecting(standIn).isEmpty && board.modems[0].figures.state == .disabled)
                } else {
                    try await board.modems("both are") { $0.allSatisfy { $0.figures.state == .connected } }
                }
            }
        }
    }

    @Test("a stage that fails is tried again later and later, and another stage at once")
    func backOff() throws {
        var connection = ModemConnection(access: Self.access)
        func modem(_ state: Int, registration: Int = 1) -> Modem {
            Modem(
                path: "/m",
                [
                    "org.freedesktop.ModemManager1.Modem": ["State": .integer(state), "UnlockRequired": .integer(1)],
                    "org.freedesktop.ModemManager1.Modem.Modem3gpp": ["RegistrationState": .integer(registration)],
                ])!
        }
        var now = Instant(nanoseconds: 0)
        for seconds in [5, 10, 20, 40, 80, 160, 300, 300] {
            #expect(connection.next(modem(3), pin: nil, now: now) == .carryOut(.enable))
            #expect(connection.next(modem(3), pin: nil, now: now) == .rest, "one thing at a time")
            connection.done(.enable, failure: "it is busy", jitter: 0, now: now)
            #expect(connection.problem == "it cannot be switched on: it is busy")
            #expect(connection.next(modem(3), pin: nil, now: now) == .wait(.seconds(seconds)))
            now = now + .seconds(seconds)
        }
        #expect(connection.next(modem(8), pin: nil, now: now) == .carryOut(.connect))
        connection.done(.connect, failure: nil, jitter: 0, now: now)
        #expect(connection.problem == nil)
        #expect(connection.next(modem(11), pin: nil, now: now) == .carryOut(.address))
        connection.done(.address, failure: nil, jitter: 0, now: now)
        #expect(connection.next(modem(11), pin: nil, now: now) == .rest)
        #expect(connection.next(modem(7, registration: 2), pin: nil, now: now) == .wait(.seconds(60)))
        now = now + .seconds(60)
        #expect(connection.next(modem(7, registration: 2), pin: nil, now: now) == .carryOut(.register))
    }

    @Test("a PIN whose sending was cut off is sent again only where no try was lost")
    func cutOff() throws {
        let pin = Secret("1234")
        func modem(_ tries: Int?) -> Modem {
            Modem(
                path: "/m",
                [
                    "org.freedesktop.ModemManager1.Modem": [
                        "State": .integer(2), "UnlockRequired": .integer(2), "Sim": .path("/s"),
                        "UnlockRetries": .table(tries.map { [.integer(2): .integer($0)] } ?? [:]),
                    ]
                ])!
        }
        func step(_ attempt: PINAttempt?, _ tries: Int?) -> ModemConnection.Step {
            var connection = ModemConnection(access: Self.access)
            return connection.next(modem(tries), pin: attempt, now: Instant(nanoseconds: 0))
        }
        #expect(step(nil, 3) == .carryOut(.unlock) && step(nil, nil) == .carryOut(.unlock))
        #expect(step(PINAttempt(pin, in: modem(3), .begun), 3) == .carryOut(.unlock))
        #expect(step(PINAttempt(pin, in: modem(3), .begun), 2) == .rest)
        #expect(step(PINAttempt(pin, in: modem(nil), .begun), nil) == .rest)
        #expect(step(PINAttempt(pin, in: modem(3), .refused), 3) == .rest)
        #expect(step(PINAttempt(Secret("4321"), in: modem(3), .refused), 2) == .carryOut(.unlock), "another PIN was configured")
    }
}
