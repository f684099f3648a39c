import Crypto
import Foundation
import Installation
import Posix
import Releases
import Support
import Testing
import Wire

@testable import Site
@testable import Upgrade

@Suite("A server's updates")
struct ServerUpdaterTests {
    @Test("what is asked for is installed at once for all programs, and what is gone back to is what was there")
    func thereAndBack() async throws {
        let desk = try await UpgradeDesk()
        try desk.publish("1.1.0", sequence: 2)
        try desk.order(.install(try desk.version("1.1.0"), release: try desk.digest("1.1.0")))
        let report = try await desk.updater().run()
        #expect(report.installed == "1.1.0" && report.previous == "1.0.0" && report.phase == .idle, "\(report)")
        #expect(report.history.map(\.result) == [.installed] && report.refusal == nil)
        #expect(try desk.running() == "1.1.0" && desk.page() == "page 1.1.0" && desk.unit().contains("1.1.0"))
        // The same order is taken up once.
        desk.host.forgetCommands()
        #expect(try await desk.updater().run().history.count == 1 && desk.host.commands.isEmpty)
        try desk.order(.back(to: try desk.version("1.0.0")))
        let back = try await desk.updater().run()
        #expect(back.installed == "1.0.0" && back.previous == "1.1.0" && back.history.map(\.result) == [.wentBack, .installed], "\(back)")
        #expect(try desk.running() == "1.0.0" && desk.page() == "index.html" && !desk.unit().contains("1.1.0"))
        // And the database was never anything but what it is.
        #expect(desk.host.commands.allSatisfy { !$0.contains("restore") })
    }

    @Test("what a person does at the machine stays: an order that control gave before it is not taken up once more")
    func byHand() async throws {
        let desk = try await UpgradeDesk()
        let (old, new) = (try desk.version("1.0.0"), try desk.version("1.1.0"))
        try desk.publish("1.1.0", sequence: 2)
        try desk.order(.install(new, release: try desk.digest("1.1.0")))
        #expect(try await desk.updater().run().installed == "1.1.0")
        #expect(try await desk.updater().carryOut(.back(to: old)).installed == "1.0.0")
        // As at each start of the machine; the order lies there as it was.
        let report = try await desk.updater().run()
        #expect(report.installed == "1.0.0" && report.history.map(\.result) == [.wentBack, .installed], "\(report)")
    }

    @Test("a server that was just installed can be asked for an update: its updater has run once, and says what runs")
    func fresh() async throws {
        let desk = try await UpgradeDesk()
        let start = ["systemctl", "start", "strata-server-update.service"]
        #expect(desk.host.commands.filter { $0 == start }.count == 1)
        #expect(try FileTree.look("\(desk.host.root)/var/lib/strata-update/report.json") != nil)
        // And it does so once.
        let plan = try desk.plan()
        #expect(try await desk.host.installer(try plan.steps()).install(UpgradeDesk.order(plan)).changed.isEmpty)
    }

    @Test("the keys are taken once: what has their place afterwards, wherever they came from, is nobody whose releases are taken")
    func ownKeys() async throws {
        let desk = try await UpgradeDesk()
        let before = try desk.text("root/etc/strata/release-keys")
        try desk.host.folder.write("somebody else's", to: "keys.1")
        let plan = try desk.plan()
        #expect(try await desk.host.installer(try plan.steps()).install(UpgradeDesk.order(plan)).changed.isEmpty)
        #expect(try desk.text("root/etc/strata/release-keys") == before && before.hasPrefix("strata signed 1\n"))
    }

    /// The steps of an installation, by their names.
    private static let steps = ["services", "adoption", "staging", "copy", "units", "link", "control", "pool", "workers"]

    @Test("a step that fails is taken back with all before it, and the server is at the version before", arguments: [false, true])
    func takenBack(_ isAfter: Bool) async throws {
        for name in Self.steps {
            let desk = try await UpgradeDesk()
            try desk.publish("1.1.0", sequence: 2)
            try desk.order(.install(try desk.version("1.1.0"), release: try desk.digest("1.1.0")))
            let updater = try desk.updater(failing: name, after: isAfter)
            let report = try await updater.run()
            #expect(report.installed == "1.0.0" && report.phase == .idle && report.history.map(\.result) == [.failed], "\(name): \(report)")
            #expect(report.history.first?.reason?.contains("it broke") == true, "\(name): \(report)")
            #expect(try desk.running() == "1.0.0" && desk.page() == "index.html" && !desk.unit().contains("1.1.0"), "\(name)")
            #expect(desk.host.active.isSuperset(of: ["strata-control.service", "strata-pool.service"]), "\(name)")
            // By itself it is not tried again; by a person's hand it is.
            try desk.order(.install(try desk.version("1.1.0"), release: try desk.digest("1.1.0")))
            let again = try await desk.updater().run()
            #expect(again.refusal?.contains("was tried here and did not work") == true, "\(name): \(again)")
            let move = ServerOrder.Move.install(try desk.version("1.1.0"), release: try desk.digest("1.1.0"))
            #expect(try await desk.updater().carryOut(move).installed == "1.1.0", "\(name)")
        }
    }

    @Test("an updater that is killed before any of its writes goes on with the next start, and ends at the new version")
    func killed() async throws {
        var count = 0
        while true {
            let desk = try await UpgradeDesk()
            try desk.publish("1.1.0", sequence: 2)
            try desk.order(.install(try desk.version("1.1.0"), release: try desk.digest("1.1.0")))
            let budget = Guarded(count)
            let isCut = try await desk.run(cutAfter: budget)
            if !isCut { break }
            // What runs is whole at every moment: the old version, or the new one.
            #expect(try ["1.0.0", "1.1.0"].contains(desk.running()), "cut at \(count)")
            let report = try await desk.updater().run()
            #expect(report.installed == "1.1.0" && report.phase == .idle, "cut at \(count): \(report)")
            #expect(try desk.running() == "1.1.0" && desk.page() == "page 1.1.0", "cut at \(count)")
            count += 1
        }
        #expect(count > Self.steps.count)
    }

    @Test("a run that the power ends again and again is taken back")
    func exhausted() async throws {
        let desk = try await UpgradeDesk()
        try desk.publish("1.1.0", sequence: 2)
        try desk.order(.install(try desk.version("1.1.0"), release: try desk.digest("1.1.0")))
        for _ in 0..<3 {
            #expect(try await desk.run(cutAt: "control"))
            // The machine starts what the link leads to by then, without the updater.
            try await desk.boot()
            #expect(desk.started == "1.1.0")
        }
        let report = try await desk.updater().run()
        #expect(desk.started == "1.0.0")
        #expect(report.installed == "1.0.0" && report.history.map(\.result) == [.failed], "\(report)")
        #expect(report.history.first?.reason?.contains("3 times") == true && desk.host.active.contains("strata-control.service"))
    }

    @Test("a run whose release is damaged on the disk is taken back, and does not stay open for ever")
    func damagedOffer() async throws {
        let desk = try await UpgradeDesk()
        try desk.publish("1.1.0", sequence: 2)
        try desk.order(.install(try desk.version("1.1.0"), release: try desk.digest("1.1.0")))
        #expect(try await desk.run(cutAt: "staging"))
        try desk.host.folder.write("half of it", to: "root/var/lib/strata-provision/update/offer")
        let report = try await desk.updater().run()
        #expect(report.installed == "1.0.0" && report.phase == .idle && report.history.map(\.result) == [.failed], "\(report)")
    }

    @Test("control that does not answer is undone by itself; one that ends some seconds after its start as well")
    func sick() async throws {
        for fault in [UpgradeDesk.Fault.silent, .restarting] {
            let desk = try await UpgradeDesk()
            try desk.publish("1.1.0", sequence: 2)
            desk.sicken("1.1.0", fault)
            try desk.order(.install(try desk.version("1.1.0"), release: try desk.digest("1.1.0")))
            let report = try await desk.updater().run()
            #expect(report.installed == "1.0.0" && report.history.map(\.result) == [.failed], "\(fault): \(report)")
            #expect(try report.history.first?.reason?.contains("journalctl") == true && desk.running() == "1.0.0")
            #expect(desk.host.commands.allSatisfy { !$0.contains("restore") }, "\(fault)")
        }
    }

    @Test("the database goes back only where the old version does not run on it, and the new one has answered nobody")
    func database() async throws {
        for (hasAnswered, isRestored) in [(false, true), (true, false)] {
            let desk = try await UpgradeDesk()
            try desk.publish("1.1.0", sequence: 2)
            desk.sicken("1.1.0", hasAnswered ? .restarting : .silent)
            desk.breakDatabase(from: "1.1.0")
            try desk.order(.install(try desk.version("1.1.0"), release: try desk.digest("1.1.0")))
            if isRestored {
                let report = try await desk.updater().run()
                #expect(report.history.map(\.result) == [.failed] && report.installed == "1.0.0", "\(report)")
            } else {
                // Somebody may have written: a person decides.
                await #expect(throws: UpgradeFault.self) { try await desk.updater().run() }
                #expect(try desk.updater().status().history.map(\.result) == [.stuck])
            }
            #expect(desk.host.commands.contains { $0.contains("restore") } == isRestored, "\(hasAnswered)")
        }
    }

    @Test("a copy is restored with control stopped, and what was there before is put aside")
    func restored() async throws {
        let desk = try await UpgradeDesk()
        let copy = "strata.db.before-25.1800000000000"
        try desk.host.folder.write("an older database", to: "root/var/lib/strata/control/\(copy)")
        try desk.order(.restore(copy: copy))
        let report = try await desk.updater().run()
        #expect(report.history.map(\.result) == [.restored], "\(report)")
        #expect(report.history.first?.reason?.contains("before-restore.") == true, "\(report)")
        #expect(try desk.database() == "an older database" && desk.host.active.contains("strata-control.service"))
        try desk.order(.restore(copy: "strata.db.before-1.1"))
        #expect(try await desk.updater().run().refusal?.contains("there is no copy") == true)
    }

    @Test("a database that is damaged does not keep control stopped where the copy in its place was to be taken back")
    func damaged() async throws {
        let desk = try await UpgradeDesk()
        let copy = "strata.db.before-25.1800000000000"
        try desk.host.folder.write("an older database", to: "root/var/lib/strata/control/\(copy)")
        desk.damageDatabase()
        try desk.order(.restore(copy: copy))
        let report = try await desk.updater(failing: "control").run()
        #expect(report.history.map(\.result) == [.failed] && report.phase == .idle, "\(report)")
        let reason = report.history.first?.reason ?? ""
        #expect(reason.contains("it broke; the database is \(copy) now"), "\(reason)")
        #expect(try desk.database() == "an older database" && desk.host.active.contains("strata-control.service"))
    }

    @Test("whatever control hands over, only what is signed for this server is taken, and nothing older")
    func refused() async throws {
        let desk = try await UpgradeDesk()
        try desk.publish("1.1.0", sequence: 5)
        try desk.publish("1.2.0", sequence: 6, isForged: true)
        try desk.publish("1.3.0", sequence: 7, channel: .edge)
        try desk.publish("1.4.0", sequence: 8, minimum: "1.2.0")
        try desk.publish("0.9.0", sequence: 9)
        try desk.publish("1.5.0", sequence: 10, expires: 1_000)
        for (version, reason) in [
            ("1.2.0", "no signature of a key that is trusted"), ("1.3.0", "channel 'edge'"), ("1.4.0", "only 1.2.0 or later"),
            ("0.9.0", "is older than"), ("1.5.0", "was offered until"),
        ] {
            try desk.order(.install(try desk.version(version), release: try desk.digest(version)))
            let report = try await desk.updater().run()
            #expect(report.refusal?.contains(reason) == true, "\(version): \(report)")
            #expect(report.installed == "1.0.0" && report.history.isEmpty, "\(version)")
        }
        // Another text than was chosen.
        try desk.order(.install(try desk.version("1.1.0"), release: [UInt8](repeating: 7, count: 32)))
        #expect(try await desk.updater().run().refusal?.contains("another 1.1.0") == true)
        // A file that is not what was signed: nothing of it is ever linked to.
        try desk.spoil("1.1.0")
        try desk.order(.install(try desk.version("1.1.0"), release: try desk.digest("1.1.0")))
        let report = try await desk.updater().run()
        #expect(try report.history.first?.reason?.contains("is not what was signed") == true && desk.running() == "1.0.0", "\(report)")
        // What is no order, of whatever kind, is passed over.
        for bytes in ["", "strata server order 1\nid 00\nback 1.0.0\n", String(repeating: "x", count: 9000)] {
            try desk.host.folder.write(bytes, to: "root/var/lib/strata/control/update-order")
            #expect(try await desk.updater().run().history.count == 1)
        }
        try FileManager.default.removeItem(atPath: desk.host.folder["root/var/lib/strata/control/update-order"])
        try FileManager.default.createSymbolicLink(
            atPath: desk.host.folder["root/var/lib/strata/control/update-order"], withDestinationPath: "/etc/passwd")
        #expect(try await desk.updater().run().history.count == 1)
    }

    @Test("a release that was seen keeps older ones out, also where it did not stay")
    func replayed() async throws {
        let desk = try await UpgradeDesk()
        try desk.publish("1.2.0", sequence: 6)
        desk.sicken("1.2.0", .silent)
        try desk.order(.install(try desk.version("1.2.0"), release: try desk.digest("1.2.0")))
        #expect(try await desk.updater().run().history.map(\.result) == [.failed])
        try desk.publish("1.1.0", sequence: 5)
        try desk.order(.install(try desk.version("1.1.0"), release: try desk.digest("1.1.0")))
        #expect(try await desk.updater().run().refusal?.contains("release number 5") == true)
        try desk.publish("1.3.0", sequence: 7)
        try desk.order(.install(try desk.version("1.3.0"), release: try desk.digest("1.3.0")))
        #expect(try await desk.updater().run().installed == "1.3.0")
    }

    @Test("the updater is replaced by the one of a version that has shown that it works, never by the one that it installs")
    func ownCopy() async throws {
        let desk = try await UpgradeDesk()
        let own = "root/usr/lib/strata/updater/strata-provision"
        let before = try desk.text(own)
        for (index, version) in ["1.1.0", "1.2.0"].enumerated() {
            try desk.publish(version, sequence: Int64(index + 2))
            try desk.order(.install(try desk.version(version), release: try desk.digest(version)))
            #expect(try await desk.updater().run().installed == version)
            #expect(try desk.text(own) == (index == 0 ? before : "strata-provision 1.1.0"), "\(version)")
        }
    }

    @Test("a server is not removed while its updater is at work, and the other way round")
    func held() async throws {
        let desk = try await UpgradeDesk()
        #expect(try ServerUpdater.hold(desk.host.machine) == nil)
        _ = try await desk.updater().run()
        let lock = try #require(try ServerUpdater.hold(desk.host.machine))
        await #expect(throws: SystemError.self) { try await desk.updater().run() }
        #expect(throws: SystemError.self) { try ServerUpdater.hold(desk.host.machine) }
        lock.release()
        _ = try await desk.updater().run()
    }

    @Test("a run that was open when the server was removed is not gone on with on what is installed next")
    func forgotten() async throws {
        let desk = try await UpgradeDesk()
        try desk.publish("1.1.0", sequence: 2)
        try desk.order(.install(try desk.version("1.1.0"), release: try desk.digest("1.1.0")))
        #expect(try await desk.run(cutAt: "control"))
        let installed = try desk.host.plan(UpgradeDesk.fields(desk.host), source: SiteSource(installedOn: desk.host.machine))
        #expect(try await desk.host.installer(try installed.steps()).remove(purge: false).left.isEmpty)
        try ServerSlots(desk.host.machine, kind: UpgradeDesk.kind()).erase()
        try ServerUpdater.forget(on: desk.host.machine)
        let status = try desk.updater().status()
        #expect(status.phase == .idle && status.target == nil && status.previous == nil && status.sequence == 2, "\(status)")
        #expect(try await desk.updater().run().installed == "1.0.0")
    }

    @Test("'server install' leaves a server that updates itself as it is, and removes all of it")
    func installed() async throws {
        let desk = try await UpgradeDesk()
        try desk.publish("1.1.0", sequence: 2)
        try desk.order(.install(try desk.version("1.1.0"), release: try desk.digest("1.1.0")))
        _ = try await desk.updater().run()
        let plan = try desk.plan()
        #expect(try await desk.host.installer(try plan.steps()).install(UpgradeDesk.order(plan)).changed.isEmpty)
        #expect(try desk.running() == "1.1.0")
        let installed = try desk.host.plan(UpgradeDesk.fields(desk.host), source: SiteSource(installedOn: desk.host.machine))
        #expect(try await desk.host.installer(try installed.steps()).remove(purge: false).left.isEmpty)
        try ServerSlots(desk.host.machine, kind: UpgradeDesk.kind()).erase()
        for path in ["usr/bin/strata-control", "usr/lib/strata/slots", "usr/lib/strata/current", "usr/share/strata/dashboard"] {
            #expect(try FileTree.look("\(desk.host.root)/\(path)") == nil, "\(path)")
        }
    }
}
