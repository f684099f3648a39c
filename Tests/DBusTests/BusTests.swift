import DBus
import Foundation
import Posix
import Support
import Testing

private let service = "org.freedesktop.ModemManager1"
private let root = "/org/freedesktop/ModemManager1"
private let mock = "org.freedesktop.DBus.Mock"

/// A bus of the test's own with a stand-in service on it, and a connection to it.
private struct Table {
    let stage: Stage
    let bus: MessageBus
    let standIn: ModemStandIn
    let loop: Loop
    let ends = Guarded<[BusError]>([])

    func connect() -> Bus {
        Bus(address: bus.address, loop: loop) { [ends] error in ends.withLock { $0.append(error) } }
    }

    func run(_ code: String) -> MethodCall { MethodCall(service, root, mock, "Run", [.text(code)]) }
}

private func atTable(_ body: (Table) async throws -> Void) async throws {
    try await onStage { stage in
        let loop = try Loop(name: "bus")
        defer { loop.stop() }
        let bus = try await MessageBus(on: stage)
        try await body(Table(stage: stage, bus: bus, standIn: try await bus.standIn(), loop: loop))
    }
}

@Suite("The message bus") struct BusTests {
    @Test("properties are read with their types, one and all of them, and objects with theirs")
    func properties() async throws {
        try await atTable { table in
            try await table.standIn.run("Modem(0)")
            let bus = table.connect()
            let modem = "\(service).Modem"
            let path = "\(root)/Modem/0"
            let ports = try await bus.call(.property(service, path, modem, "Ports"))
            let expected: [BusValue] = [("cdc-wdm0", 6), ("ttyUSB0", 3), ("wwan0", 2)].map { .list([.text($0), .integer($1)]) }
            #expect(ports.values == [.list(expected)])
            let all = try await bus.call(.allProperties(service, path, modem)).values.first?.properties
            #expect(all?["State"] == .integer(3) && all?["Sim"] == .path("\(root)/SIM/0"))
            #expect(all?["UnlockRetries"]?[2] == .integer(3) && all?["SignalQuality"] == .list([.integer(0), .boolean(false)]))
            let objects = try await bus.call(.managedObjects(service, root)).values.first
            #expect(objects?[path]?[modem]?["Model"]?.text == "RM520N-GL")
            #expect(objects?.table?.count == 1)
        }
    }

    @Test("arguments arrive as they were given")
    func arguments() async throws {
        try await atTable { table in
            try await table.standIn.run("Modem(0)")
            let bus = table.connect()
            let path = "\(root)/Modem/0"
            _ = try await bus.call(MethodCall(service, path, "\(service).Modem", "Enable", [.boolean(true)]))
            _ = try await bus.call(
                MethodCall(service, path, "\(service).Modem.Location", "Setup", [.unsigned(3), .boolean(true)]))
            _ = try await bus.call(
                MethodCall(
                    service, path, "\(service).Modem.Simple", "Connect",
                    [.properties(["apn": .text("internet"), "allow-roaming": .boolean(false), "ip-type": .unsigned(4)])]))
            let calls = try await table.standIn.calls()
            #expect(calls == ["Enable True", "Location.Setup 3 True", "Connect allow-roaming=0 apn=internet ip-type=4"])
        }
    }

    @Test("an error has the name that the service gave it; a service that is not there is one")
    func errors() async throws {
        try await atTable { table in
            let bus = table.connect()
            let missing = await #expect(throws: BusError.self) { try await bus.call(.owner(of: "org.example.Nobody")) }
            #expect(missing?.name == "org.freedesktop.DBus.Error.NameHasNoOwner")
            let refused = await #expect(throws: BusError.self) {
                try await bus.call(table.run("fail('MobileEquipment.SimNotInserted', 'SIM not inserted')"))
            }
            #expect(refused == .remote(name: "\(service).Error.MobileEquipment.SimNotInserted", text: "SIM not inserted"))
            let invalid = await #expect(throws: BusError.self) { try await bus.call(MethodCall("no name", "no path", "a.b", "C")) }
            #expect(invalid == .system(function: "sd_bus_message_new_method_call", code: Int(EINVAL)))
        }
    }

    @Test("a question that nobody answers ends when its time is over, a cancelled one at once, and the loop never waits")
    func silence() async throws {
        try await atTable { table in
            let bus = table.connect()
            let begin = Instant.now
            let slow = Task { try await bus.call(table.run("import time; time.sleep(60)"), timeout: .seconds(2)) }
            let task = Task { try await bus.call(table.run("pass"), timeout: .seconds(60)) }
            try await table.loop.sleep(for: .milliseconds(50))
            task.cancel()
            await #expect(throws: BusError.cancelled) { try await task.value }
            #expect(Instant.now - begin < .seconds(2), "before the service can answer, and before the other's time is over")
            await #expect(throws: BusError.unanswered) { try await slow.value }
            #expect((.seconds(2)...Duration.seconds(20)).contains(Instant.now - begin))
            let early = Task { try await bus.call(table.run("pass")) }
            early.cancel()
            await #expect(throws: BusError.cancelled) { try await early.value }
        }
    }

    @Test("signals are heard in their order, the answer before what was sent behind it, and only those that match")
    func signals() async throws {
        try await atTable { table in
            let bus = table.connect()
            let heard = Guarded<[String]>([])
            bus.subscribe(MatchRule(sender: service, path: root, interface: "org.example.A")) { signal in
                heard.withLock { $0.append("\(signal.member) \(signal.values.first?.integer ?? -1)") }
            }
            let done = Guarded(false)
            let code = """
                for i in range(200): objects['/'].EmitSignal('org.example.A', 'Tick', 'u', [i])
                objects['/'].EmitSignal('org.example.B', 'Tick', 'u', [0])
                """
            bus.call(table.run(code)) { _ in heard.withLock { $0.append("answer") } }
            bus.call(table.run("objects['/'].EmitSignal('org.example.A', 'Last', 'u', [7])")) { _ in done.withLock { $0 = true } }
            try await eventually(within: .seconds(5), "all is heard") { done.withLock { $0 } }
            #expect(heard.withLock { $0 } == (0..<200).map { "Tick \($0)" } + ["answer", "Last 7"])
        }
    }

    @Test("a bus that dies ends the connection once, with all that was asked; the next one is connected to anew")
    func restart() async throws {
        try await atTable { table in
            let bus = table.connect()
            _ = try await bus.call(.owner(of: service))
            let open = Task { try await bus.call(table.run("import time; time.sleep(20)"), timeout: .seconds(30)) }
            try await table.loop.sleep(for: .milliseconds(100))
            try await table.bus.kill()
            let error = await #expect(throws: BusError.self) { try await open.value }
            #expect(error == .unanswered || error == .ended)
            try await eventually(within: .seconds(5), "the end is told") { !table.ends.withLock { $0.isEmpty } }
            await #expect(throws: BusError.ended) { try await bus.call(.owner(of: service)) }
            let missed = table.connect()
            await #expect(throws: BusError.ended) { try await missed.call(.owner(of: service)) }
            #expect(table.ends.withLock { $0.count } == 2)
            let again = try await MessageBus(on: table.stage)
            let next = Bus(address: again.address, loop: table.loop) { _ in }
            let own = try await next.call(.owner(of: BusSignal.bus))
            #expect(own.values == [.text(BusSignal.bus)])
        }
    }

    @Test(
        "an address that would start a program or look up a name is refused",
        arguments: ["unixexec:path=/bin/true", "tcp:host=localhost,port=1", "", "unix:path=/a;unix:path=/b"])
    func addresses(address: String) async throws {
        let loop = try Loop(name: "bus")
        defer { loop.stop() }
        let bus = Bus(address: address, loop: loop) { _ in }
        await #expect(throws: BusError.ended) { try await bus.call(.owner(of: service)) }
    }

    @Test("connections that come and go leave no descriptor behind, whenever they are closed")
    func leaks() async throws {
        try await atTable { table in
            func descriptors() throws -> Int {
                try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").filter { name in
                    (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(name)"))?.hasPrefix("socket:") == true
                }.count
            }
            _ = try await table.connect().call(.owner(of: service))
            let before = try descriptors()
            for round in 0..<50 {
                let bus = table.connect()
                bus.subscribe(.ownerChanges(of: service)) { _ in }
                let closed = Guarded(false)
                // In the middle of being processed, before it is connected, and with a question open.
                if round % 3 == 0 {
                    bus.call(.owner(of: service)) { _ in
                        bus.close()
                        closed.withLock { $0 = true }
                    }
                    try await eventually(within: .seconds(5), "it is closed") { closed.withLock { $0 } }
                } else if round % 3 == 1 {
                    bus.call(.owner(of: service)) { _ in }
                } else {
                    _ = try await bus.call(.owner(of: service))
                    bus.call(table.run("pass")) { _ in }
                }
            }
            // Other suites open and close theirs meanwhile.
            try await eventually(within: .seconds(10), "\(before) sockets are open again") { try descriptors() <= before + 5 }
        }
    }
}

@Suite("What a message holds") struct ReadingTests {
    private func value(_ python: String) async throws -> Result<Reply, BusError> {
        let result = Guarded<Result<Reply, BusError>?>(nil)
        try await atTable { table in
            let bus = table.connect()
            _ = try await table.standIn.run("objects['/'].AddProperty('org.example.H', 'X', \(python))")
            do throws(BusError) {
                let reply = try await bus.call(.property(service, root, "org.example.H", "X"))
                result.withLock { $0 = .success(reply) }
            } catch {
                result.withLock { $0 = .failure(error) }
            }
            // Whatever it was, the connection goes on.
            #expect(try await bus.call(.owner(of: BusSignal.bus)).values.count == 1)
        }
        return try #require(result.withLock { $0 })
    }

    @Test("numbers of every width are read, those that no Int holds as its largest, NaN as it is")
    func numbers() async throws {
        let python = """
            dbus.Struct((dbus.Byte(255), dbus.Int16(-2), dbus.UInt16(65535), dbus.Int64(-2**63), dbus.UInt64(2**64-1), \
            float('nan'), float('-inf'), dbus.Array([1, 2], signature='y'), dbus.Signature('a{sv}')), variant_level=1)
            """
        let list = try #require(try await value(python).get().values.first?.list)
        #expect(list.prefix(5).map(\.integer) == [255, -2, 65535, Int.min, Int.max])
        #expect(list[5].finite == nil && list[6].finite == nil && list[6] == .number(-.infinity))
        #expect(list[7] == .bytes([1, 2]) && list[8] == .text("a{sv}"))
    }

    @Test("a list of ten thousand is cut and says so")
    func longLists() async throws {
        let reply = try await value("dbus.Array(range(10000), signature='u', variant_level=1)").get()
        #expect(reply.isCut && reply.values.first?.list?.count == 256)
        let table = try await value("dbus.Dictionary({str(i): i for i in range(10000)}, signature='su', variant_level=1)").get()
        #expect(table.isCut && table.values.first?.table?.count == 256)
    }

    @Test("what is too deep, too long or too much is refused")
    func hostile() async throws {
        let deep = """
            (lambda f, n: f(f, n))(lambda f, n: dbus.Array([f(f, n - 1)], signature='v', variant_level=1) if n else dbus.UInt32(1, variant_level=1), 20)
            """
        #expect(try await value(deep) == .failure(.tooLarge))
        #expect(try await value("dbus.String('x' * 2000000, variant_level=1)") == .failure(.tooLarge))
        let wide =
            "dbus.Array([dbus.Array([dbus.Array(range(256), signature='u')] * 250, signature='au')] * 4, signature='aau', variant_level=1)"
        #expect(try await value(wide) == .failure(.tooLarge))
    }
}
