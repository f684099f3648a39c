import Foundation
import Lab
import Logging
import Netlink
import Posix
import Support
import Testing
import Wire

@testable import Sticks

@Suite struct StickCluesTests {
    @Test("a stick is a network card of Huawei's on USB; other cards, and Huawei's modems, are none")
    func usb() throws {
        let root = NSTemporaryDirectory() + "strata-sysfs-\(getpid())"
        defer { try? FileManager.default.removeItem(atPath: root) }
        func add(_ name: String, driver: String, vendor: String?) throws {
            let device = "\(root)/devices/\(name)-usb"
            try FileManager.default.createDirectory(atPath: "\(device)/1.0", withIntermediateDirectories: true)
            try FileManager.default.createDirectory(atPath: "\(root)/class/net/\(name)", withIntermediateDirectories: true)
            if let vendor { try "\(vendor)\n".write(toFile: "\(device)/idVendor", atomically: true, encoding: .utf8) }
            try FileManager.default.createSymbolicLink(atPath: "\(device)/1.0/driver", withDestinationPath: "\(root)/drivers/\(driver)")
            try FileManager.default.createSymbolicLink(atPath: "\(root)/class/net/\(name)/device", withDestinationPath: "\(device)/1.0")
        }
        for (name, driver, vendor, isStick) in [
            ("eth1", "cdc_ether", "12d1", true), ("usb0", "rndis_host", "12d1", true), ("wwan0", "huawei_cdc_ncm", "12d1", false),
            ("dock0", "cdc_ether", "0bda", false), ("eth0", "e1000e", nil, false),
        ] as [(String, String, String?, Bool)] {
            try add(name, driver: driver, vendor: vendor)
            #expect(StickClues.isStick(name, sysfs: root) == isStick, "\(name)")
        }
        #expect(!StickClues.isStick("gone", sysfs: root))
    }

    @Test("its page is at the private gateway of the way to everywhere that costs least")
    func gateway() {
        func way(_ gateway: String?, index: Int = 3, prefix: Int = 0, metric: Int = 0, table: Int = 254) -> RouteMessage {
            .route(
                RouteEntry(
                    family: .ipv4, table: table, index: index, prefixLength: prefix,
                    gateway: gateway.flatMap { SocketAddress($0, port: 0) },
                    maker: 3, metric: metric))
        }
        func found(_ messages: [RouteMessage]) -> String? { StickClues.gateway(of: 3, in: messages)?.host }
        #expect(found([way("192.168.8.1", metric: 300), way("192.168.9.1", metric: 100), way("10.0.0.1", index: 4)]) == "192.168.9.1")
        for none in [way("203.0.113.1"), way(nil), way("192.168.8.1", prefix: 24), way("192.168.8.1", table: 100), way("100.64.0.1")] {
            #expect(found([none]) == nil)
        }
    }
}

/// Sticks are stand-ins: `Fixtures/modems/hilink.py`, each behind a link of a field network that gives the board one and the same address.
@Suite("A watcher of sticks", .serialized, .unlessStolen, .enabled(if: NetworkNamespace.areAllowed, "namespaces are not allowed here"))
struct StickWatcherTests {
    private final class Field: Sendable {
        let stage: Stage
        let network: FieldNetwork
        let loop: Loop
        let watcher: StickWatcher
        private let latest = Guarded<[Stick]>([])
        private let reader: Task<Void, Never>

        init(on stage: Stage, number: Int) throws {
            self.stage = stage
            network = try FieldNetwork(
                links: (0..<2).map { _ in LinkShape(LinkProfile(rateKbit: 8000, delayMs: 5, queueMs: 300)) }, sticks: true, number: number)
            // Born in the namespace, and with it every socket.
            loop = try network.field.run { try Loop(name: "sticks") }
            let watcher = StickWatcher(loop: loop, named: ["modem0", "modem1"], log: Log("sticks", threshold: .error), pace: 10)
            self.watcher = watcher
            reader = Task { [latest] in for await sticks in watcher.snapshots { latest.withLock { $0 = sticks } } }
        }

        func link(_ name: String, isUp: Bool = true) -> Link {
            Link(name: name, kind: .cellular, state: isUp ? .up : .down, addresses: ["192.168.8.100"], mtu: 1500)
        }

        func update(_ links: [Link], taken: Set<String> = []) async throws {
            let indices = try network.field.run { ["modem0": Int(if_nametoindex("modem0")), "modem1": Int(if_nametoindex("modem1"))] }
            await watcher.update(links: links, indices: indices, taken: taken)
        }

        func sticks(_ what: String, within seconds: Double = 12, _ condition: ([Stick]) -> Bool) async throws -> [Stick] {
            try await eventually(within: .seconds(seconds), what) {
                let sticks = latest.withLock { $0 }
                return condition(sticks) ? sticks : nil
            }
        }

        /// What the kernel has counted on an interface of the field.
        func counters(of link: String) throws -> (sent: Int, received: Int) {
            let text = try network.field.run { try String(contentsOfFile: "/proc/thread-self/net/dev", encoding: .utf8) }
            for line in text.split(separator: "\n") where line.contains("\(link):") {
                let figures = line.split(separator: ":")[1].split(separator: " ").compactMap { Int($0) }
                return (figures[8], figures[0])
            }
            throw SupportFailure("there is no interface \(link)")
        }

        func clear() async {
            await watcher.end()
            reader.cancel()
            loop.stop()
            network.remove()
        }
    }

    private func inField(_ number: Int, _ body: (Field, [StickStandIn]) async throws -> Void) async throws {
        try await onStage { stage in
            let field = try Field(on: stage, number: number)
            do {
                var standIns: [StickStandIn] = []
                for link in 0..<2 {
                    standIns.append(try await StickStandIn(on: stage, at: field.network.cloudAddress(link), number: link + 1))
                }
                try await body(field, standIns)
            } catch {
                await field.clear()
                throw error
            }
            await field.clear()
        }
    }

    @Test("two sticks with one and the same address are told apart; neither is asked any more once its link is down or a modem daemon's")
    func twins() async throws {
        try await inField(71) { field, standIns in
            try await field.update([field.link("modem0"), field.link("modem1")])
            let sticks = try await field.sticks("both are known") { $0.count == 2 && $0.allSatisfy { $0.figures.rsrpDbm != nil } }
            #expect(sticks.map(\.link) == ["modem0", "modem1"])
            #expect(sticks.map(\.figures.network) == ["Network 1", "Network 2"] && sticks.map(\.figures.band) == ["B1", "B2"])
            #expect(sticks.map(\.figures.id) == ["861000000000001", "861000000000002"])
            #expect(sticks.map(\.simNumber) == ["8949000000000001000", "8949000000000002000"])
            try standIns[1].change("device/signal", ["rsrp": "-113dBm"])
            _ = try await field.sticks("the weak one is the second") { $0.map(\.figures.rsrpDbm) == [-97, -113] }
            #expect(standIns[0].questions.filter { $0.contains("SesTokInfo") }.count == 1, "a session is kept")

            // What they were asked has its price, as the interfaces count it, and both directions have one.
            let indices = sticks.map(\.index)
            let own = indices.compactMap { field.watcher.ownTraffic[$0] }
            let counted = try sticks.map { try field.counters(of: $0.link) }
            #expect(own.count == 2)
            for (own, counted) in zip(own, counted) {
                // A few answers more may have come between the two looks.
                #expect(own.sentBytes > counted.sent / 2 && own.sentBytes <= counted.sent, "\(own) of \(counted)")
                #expect(own.receivedBytes > counted.received / 2 && own.receivedBytes <= counted.received, "\(own) of \(counted)")
            }

            try await field.update([field.link("modem0"), field.link("modem1", isUp: false)])
            _ = try await field.sticks("the second is gone") { $0.map(\.link) == ["modem0"] }
            #expect(field.watcher.ownTraffic[indices[1]] == nil)
            let asked = standIns[1].questions.count
            _ = try await field.sticks("the first is asked on", within: 15) { _ in standIns[0].questions.count > 12 }
            #expect(standIns[1].questions.count == asked)
            try await field.update([field.link("modem0")], taken: ["modem0"])
            _ = try await field.sticks("neither is left") { $0.isEmpty }
        }
    }

    @Test("a session that the stick forgot is renewed, a silent one is named, and one that comes back is shown again")
    func lapses() async throws {
        try await inField(72) { field, standIns in
            try await field.update([field.link("modem0")])
            _ = try await field.sticks("it is known") { $0.first?.figures.state == .connected }
            try standIns[0].set("boot", 2)
            try standIns[0].change("device/signal", ["rsrp": "-101dBm"])
            let after = try await field.sticks("it is asked with a new session") { $0.first?.figures.rsrpDbm == -101 }
            #expect(after.first?.figures.reason == nil)
            try standIns[0].set("login", ["device/signal", "net/current-plmn"])
            let closed = try await field.sticks("its login is named") { $0.first?.figures.reason != nil }
            #expect(closed.first?.figures.reason?.contains("switch the login of its page http://192.168.8.1 off") == true)
            try standIns[0].set("login", [String]())
            try standIns[0].set("silent", true)
            let silent = try await field.sticks("it is named", within: 60) { $0.first?.figures.state == .failed }
            #expect(silent.first?.figures.reason?.contains("it does not answer at http://192.168.8.1") == true)
            try standIns[0].set("silent", false)
            _ = try await field.sticks("it is back", within: 60) { $0.first?.figures.state == .connected }
        }
    }

    @Test("it is restarted by order, with a token of its own, and says why where it is not")
    func reset() async throws {
        try await inField(73) { field, standIns in
            try await field.update([field.link("modem0"), field.link("modem1")])
            let sticks = try await field.sticks("both are known") { $0.count == 2 && $0.allSatisfy { $0.figures.state == .connected } }
            try await field.watcher.reset(sticks[1])
            let order = "POST /api/device/control <?xml version=\"1.0\" encoding=\"UTF-8\"?><request><Control>1</Control></request>"
            #expect(standIns.map { $0.questions.filter { $0.hasPrefix("POST") } } == [[], [order]])
            try standIns[0].set("login", ["device/control"])
            let login = await #expect(throws: StickFault.self) { try await field.watcher.reset(sticks[0]) }
            #expect(login?.reason == "it cannot be reset: it asks for a login, which its page http://192.168.8.1 lets you switch off")
            try standIns[0].set("silent", true)
            let began = Instant.now
            let silent = await #expect(throws: StickFault.self) { try await field.watcher.reset(sticks[0]) }
            #expect(silent?.reason.hasPrefix("it did not answer the order") == true && Instant.now - began < .seconds(9))
        }
    }
}
