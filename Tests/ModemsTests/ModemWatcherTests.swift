import Foundation
import Modems
import Support
import Testing
import Wire

/// Against ModemManager's stand-in on a real bus; see `Tests/Fixtures/modems`.
@Suite("The modems of a board") struct ModemWatcherTests {
    @Test("a modem that is plugged in is told with what it is, asked for its signal and its place, and gone when it is pulled")
    func hotPlug() async throws {
        try await onBoard { board, _, standIn in
            try await standIn.run("m = Modem(0)")
            let disabled = try await board.modems("it is there") { $0.map(\.figures.state) == [.disabled] }
            #expect(disabled[0].figures.model == "Quectel RM520N-GL" && disabled[0].figures.sim == .ready)
            #expect(disabled[0].interfaces == ["wwan0"] && disabled[0].controlPort == "cdc-wdm0")
            #expect(try await standIn.calls().isEmpty, "nothing is set up in a modem that is not enabled")
            try await standIn.run(
                "m.enable(True); m.change(MODEM, AccessTechnologies=1 << 14, SignalQuality=(67, True), CurrentBands=[50])")
            try await standIn.run("m.change(SIGNAL, Lte={'rsrp': -97.25, 'rsrq': -11.0, 'snr': 8.4, 'rssi': -66.0})")
            let live = try await board.modems("it is measured") { $0.first?.figures.rsrpDbm != nil && $0[0].figures.registration != nil }
            let figures = live[0].figures
            #expect(figures.state == .registered && figures.registration == .home && figures.network == "Telekom.de")
            #expect(figures.technology == "LTE" && figures.band == "B20" && figures.signalPercent == 67)
            #expect(figures.rsrpDbm == -97.3 || figures.rsrpDbm == -97.2)
            #expect(figures.rsrqDb == -11 && figures.sinrDb == 8.4 && figures.rssiDbm == -66)
            try await eventually(within: .seconds(5), "both are set up") {
                try await standIn.calls() == ["Enable True", "Signal.Setup 5", "Location.Setup 3 True"]
            }
            try await standIn.run("m.change(SIGNAL, Lte={'rsrp': -110.0})")
            try await board.modems("the signal falls") { $0.first?.figures.rsrpDbm == -110 && $0[0].figures.sinrDb == nil }
            let place =
                "m.change(LOCATION, Location={2: dbus.Dictionary({'latitude': 47.5, 'longitude': 9.7, 'altitude': 400.0}, signature='sv')})"
            try await standIn.run(place)
            try await board.modems("its place is known") {
                $0.first?.figures.position == Position(latitude: 47.5, longitude: 9.7, altitudeMeters: 400)
            }
            try await standIn.run("Modem(1, net='wwan1'); m.unplug()")
            try await board.modems("the other is left") { $0.map(\.interfaces) == [["wwan1"]] }
            #expect(board.said("a modem is gone") == 1)
        }
    }

    @Test("a modem that is plugged in again is asked again for its signal")
    func armedAgain() async throws {
        try await onBoard { board, _, standIn in
            try await standIn.run("m = Modem(0); m.enable(True)")
            try await eventually(within: .seconds(5), "it is asked") { try await standIn.calls().contains("Signal.Setup 5") }
            try await standIn.run("m.unplug(); m = Modem(1); m.enable(True)")
            try await eventually(within: .seconds(5), "it is asked again") { try await standIn.calls(of: 1).contains("Signal.Setup 5") }
        }
    }

    @Test("a locked, a failed and a refused modem say so in a sentence")
    func reasons() async throws {
        try await onBoard { board, _, standIn in
            try await standIn.run("a = Modem(0, pin='1234'); b = Modem(1, net='wwan1'); c = Modem(2, net='wwan2', registration=3)")
            try await standIn.run("b.state(-1, StateFailedReason=2, Sim='/'); c.enable(True)")
            let modems = try await board.modems("all are there") { $0.count == 3 && $0[2].figures.registration == .denied }
            #expect(modems.map(\.figures.state) == [.locked, .failed, .searching])
            #expect(modems.map(\.figures.sim) == [.pin, .missing, .ready])
            #expect(
                modems.map(\.figures.reason) == [
                    "its SIM card wants the PIN", "there is no SIM card in it", "the network refuses this SIM card",
                ])
            #expect(modems[0].pinTries == 3 && modems[1].simPath == nil)
            try await standIn.run("a.tries = 0; a.change(MODEM, UnlockRequired=4, UnlockRetries={2: 0, 4: 10})")
            try await board.modems("the PUK is wanted") { $0.first?.figures.sim == .puk && $0[0].pinTries == 0 }
        }
    }

    @Test("a stuck modem is reset")
    func reset() async throws {
        try await onBoard { board, _, standIn in
            try await standIn.run("Modem(0)")
            let modem = try await board.modems("it is there") { $0.count == 1 }[0]
            #expect(try await board.watcher.reset(modem) == nil)
            #expect(try await standIn.calls() == ["Reset"])
            try await standIn.run("Modem.every[0].resets = 'Core.Unsupported'")
            #expect(try await board.watcher.reset(modem) == "it knows no reset, and was switched off and on")
            #expect(try await standIn.calls().filter { !$0.contains("Setup") }.suffix(3) == ["Reset", "Enable False", "Enable True"])
            try await standIn.run("Modem.every[0].resets = 'Core.Failed'")
            let fault = await #expect(throws: ModemFault.self) { try await board.watcher.reset(modem) }
            #expect(fault?.reason == "it cannot be reset: no answer from the firmware")
        }
    }

    @Test("a modem that takes long to be switched on again is not said to have failed")
    func slowReset() async throws {
        try await onBoard { board, _, standIn in
            try await standIn.run("m = Modem(0); m.resets = 'Core.Unsupported'")
            let modem = try await board.modems("it is there") { $0.count == 1 }[0]
            try await standIn.run("import time; enable = m.enable; m.enable = lambda on: (time.sleep(6 if on else 0), enable(on))")
            let fault = await #expect(throws: ModemFault.self) { try await board.watcher.reset(modem) }
            #expect(fault?.reason == "it knows no reset, and was switched off: whether it came on again is not known yet")
        }
    }

    @Test("ModemManager that restarts takes its modems along, and brings them back")
    func service() async throws {
        try await onBoard { board, bus, standIn in
            try await standIn.run("Modem(0)")
            try await board.modems("it is there") { $0.count == 1 }
            standIn.program.signal(SIGKILL)
            try await board.modems("it is gone") { $0.isEmpty }
            let next = try await bus.standIn()
            try await next.run("Modem(7)")
            try await board.modems("it is there again") { $0.map(\.path) == ["/org/freedesktop/ModemManager1/Modem/7"] }
            #expect(board.said("ModemManager is not there") == 1)
        }
    }

    @Test("a bus that dies takes the modems along; one that comes back is found, and neither is said twice")
    func bus() async throws {
        try await onBoard { board, bus, standIn in
            try await standIn.run("Modem(0)")
            try await board.modems("it is there") { $0.count == 1 }
            try await bus.kill()
            try await board.modems("it is gone") { $0.isEmpty }
            try await board.loop.sleep(for: .seconds(2.5))  // Two attempts at least.
            let again = try await MessageBus(on: board.stage)
            let next = try await again.standIn()
            try await next.run("Modem(3)")
            try await board.modems("it is there again", within: .seconds(15)) { $0.count == 1 }
            #expect(board.said("no message bus") == 1, "\(board.log)")
        }
    }

    @Test("a board without a bus, and a bus without ModemManager, have no modems and say it once")
    func absent() async throws {
        try await onStage { stage in
            let board = try Board(on: stage)
            await board.watcher.begin()
            try await eventually(within: .seconds(5), "it is said") { board.said("no message bus") == 1 }
            _ = try await MessageBus(on: stage)
            try await eventually(within: .seconds(10), "the service is missed") { board.said("ModemManager is not there") == 1 }
            try await board.loop.sleep(for: .milliseconds(300))
            #expect(board.said("\"message\"") == 2 && board.modems.isEmpty, "\(board.log)")
            await board.close()
        }
    }

    @Test("the real ModemManager without a modem is watched, and missed when it ends")
    func real() async throws {
        try await onStage { stage in
            let bus = try await MessageBus(on: stage)
            let manager = try await bus.modemManager()
            let board = try Board(on: stage)
            await board.watcher.begin()
            // What would be said of an answer that cannot be read is said once the list is asked for.
            try await board.loop.sleep(for: .seconds(1))
            #expect(board.said("\"message\"") == 0 && board.modems.isEmpty, "\(board.log)")
            try await manager.stop()
            try await eventually(within: .seconds(5), "it is missed") { board.said("ModemManager is not there") == 1 }
            _ = try await bus.modemManager()
            try await eventually(within: .seconds(5), "it is found again") { board.said("ModemManager is there") == 1 }
            await board.close()
        }
    }
}

@Suite("What a modem may say") struct HostileModemTests {
    @Test("wrong types, NaN, infinities and impossible numbers are as if they were not there")
    func values() async throws {
        try await onBoard { board, _, standIn in
            try await standIn.run("m = Modem(0); m.enable(True); m.change(MODEM, AccessTechnologies=1 << 14)")
            try await board.modems("it is there") { $0.first?.figures.state == .registered }
            for bad in [
                "float('nan')", "float('inf')", "-1.7976931348623157e308", "1e9", "dbus.String('-90')", "dbus.Array([], signature='s')",
            ] {
                try await standIn.run(
                    """
                    m.change(SIGNAL, Lte={'rsrp': -90.0, 'rsrq': -10.0})
                    change_raw(m.path, SIGNAL, {'Lte': dbus.Dictionary({'rsrp': \(bad), 'rsrq': -12.0}, signature='sv')})
                    """)
                let modems = try await board.modems("\(bad) is read") { $0.first?.figures.rsrqDb == -12 }
                #expect(modems[0].figures.rsrpDbm == nil, "\(bad)")
            }
            try await standIn.run(
                """
                change_raw(m.path, MODEM, {'State': dbus.String('connected'), 'SignalQuality': dbus.UInt32(5), 'Ports': dbus.Int64(-1),
                    'Manufacturer': dbus.Double(1), 'AccessTechnologies': dbus.Int64(-5), 'CurrentBands': dbus.UInt64(2**64-1),
                    'UnlockRetries': dbus.Array([1], signature='i'), 'Sim': dbus.Byte(1), 'Model': dbus.String('x' * 100000 + chr(27))})
                change_raw(m.path, LOCATION, {'Location': dbus.Dictionary({2: dbus.Dictionary({'latitude': 200.0, 'longitude': float('nan')}, signature='sv')}, signature='uv')})
                change_raw(m.path, SIGNAL, {'Lte': dbus.Boolean(True)})
                """)
            let modem = try await board.modems("all of it is read") { $0.first?.figures.state == .starting && $0[0].figures.rsrqDb == nil }[
                0]
            #expect(modem.interfaces.isEmpty && modem.pinTries == nil && modem.simPath == nil)
            #expect(modem.figures.technology == nil && modem.figures.signalPercent == nil && modem.figures.position == nil)
            #expect(modem.figures.model == String(repeating: "x", count: 60))
        }
    }

    @Test("ten thousand objects are cut to sixteen, and floods of properties and of signals are survived")
    func floods() async throws {
        try await onBoard { board, bus, standIn in
            try await standIn.run("m = Modem(0)")
            try await board.modems("it is there") { $0.count == 1 }
            try await standIn.run(
                """
                for i in range(300):
                    change_raw(m.path, MODEM, {f'P{i}-{k}': dbus.String('y' * 1000) for k in range(20)})
                for i in range(2000):
                    change_raw(MAIN_OBJ + f'/Modem/{i + 100}', MODEM, {'State': dbus.Int32(8)})
                for i in range(100):
                    objects['/'].EmitSignal(OBJECTS, 'InterfacesAdded', 'oa{sa{sv}}', [dbus.ObjectPath(MAIN_OBJ + f'/Modem/{i + 100}'), {MODEM: {'State': dbus.Int32(8)}}])
                m.state(6)
                """)
            try await board.modems("the end is read", within: .seconds(20)) { $0.count == 16 && $0[0].figures.state == .searching }
            try await standIn.run(
                """
                objects['/'].AddMethod(OBJECTS, 'GetManagedObjects', '', 'a{oa{sa{sv}}}',
                    "ret = {dbus.ObjectPath(f'/org/freedesktop/ModemManager1/Modem/{i}'): {'org.freedesktop.ModemManager1.Modem': {'State': dbus.Int32(8)}} for i in range(10000)}")
                """)
            // Listed anew by a watcher that comes now.
            let second = try Board(on: board.stage)
            await second.watcher.begin()
            try await second.modems("some are believed", within: .seconds(20)) { $0.count == 16 }
            #expect(second.said("more modems than are believed") == 1)
            await second.close()
        }
    }

    @Test("signals of others on the bus are not believed")
    func forged() async throws {
        try await onBoard { board, bus, standIn in
            try await standIn.run("m = Modem(0)")
            let modem = try await board.modems("it is there") { $0.count == 1 }[0]
            // To everybody, which the bus passes on to those alone who ask for this sender, and to the watcher, which it cannot spare.
            let list = try await runTool("busctl", ["--address=\(bus.address)", "--no-legend", "list"]).text
            let rows = list.split(separator: "\n").map { $0.split(separator: " ") }
            let own = rows.filter { $0.count > 1 && $0[1] == "\(getpid())" }.map { "--destination=\($0[0])" }
            #expect(own.count == 1, "\(list)")
            for destination in [[]] + own.map({ [$0] }) {
                let change = ["sa{sv}as", "org.freedesktop.ModemManager1.Modem", "1", "State", "i", "11", "0"]
                let line = ["--address=\(bus.address)"] + destination + ["emit", modem.path, "org.freedesktop.DBus.Properties"]
                _ = try await runTool("busctl", line + ["PropertiesChanged"] + change)
            }
            try await standIn.run("m.state(6)")
            try await board.modems("what the daemon says is heard") { $0.first?.figures.state == .searching }
            #expect(board.said("connected") == 0, "\(board.log)")
        }
    }
}
