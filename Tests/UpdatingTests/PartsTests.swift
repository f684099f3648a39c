import Crypto
import Foundation
import Posix
import Testing
import Units

@testable import Releases
@testable import Updating

@Suite("The parts of an update") struct PartsTests {
    private let start = Instant(nanoseconds: 0)

    private func report(_ process: UInt64 = 1, version: ReleaseVersion = Factory.new, isReached: Bool = true) -> AgentReport {
        AgentReport(
            version: version, process: process, isBroadcasting: false, isControlReached: isReached, openInputs: ["camera"],
            liveLinks: ["eth0"])
    }

    /// The verdict after reports each 5 s, one for each element; nil is silence.
    private func verdict(_ reports: [AgentReport?], _ baseline: Baseline = Baseline()) -> HealthProof.Verdict {
        var proof = HealthProof(of: Factory.new, baseline, within: .seconds(300), at: start)
        var now = start
        for report in reports {
            now = now + .seconds(5)
            if let report { proof.take(report, at: now) }
        }
        return proof.verdict(at: now)
    }

    @Test("30 s of health are a proof; with a gap of more than 15 s, or by two processes, they are none")
    func proof() {
        let good: AgentReport? = report()
        let waiting = HealthProof.Verdict.waiting(until: start + .seconds(300))
        #expect(verdict([AgentReport?](repeating: good, count: 6)) == waiting)
        #expect(verdict([AgentReport?](repeating: good, count: 7)) == .proven)
        #expect(verdict([good, nil, nil, good, nil, nil, good]) == .proven)
        #expect(verdict([good, good, good, nil, nil, nil, good, good]) == waiting)
        #expect(verdict([good, good, good, report(2), report(2), report(2), report(2), report(2)]) == waiting)
        #expect(verdict([good, good, good, report(isReached: false), good, good, good, good]) == waiting)
    }

    @Test("what is missing at the deadline is the reason")
    func reasons() {
        let silence = [AgentReport?](repeating: nil, count: 60)
        #expect(verdict(silence) == .failed("the agent said nothing"))
        #expect(verdict([report(version: Factory.old)] + silence) == .failed("1.3.0 runs instead"))
        #expect(verdict([report()] + silence, Baseline(inputs: ["hdmi"])) == .failed("input 'hdmi' does not open"))
        #expect(verdict([report()] + silence, Baseline(links: ["eth0", "wwan0"])) == .failed("link 'wwan0' is not up"))
        #expect(verdict([report(isReached: false)] + silence) == .failed("control is not reached"))
    }

    @Test("a cap is kept from part to part, and sets how large they are")
    func pace() {
        var pace = FetchPace(cap: .kilobits(800))
        #expect(pace.chunk == 100_000)
        pace.fetched(50_000, from: start)
        #expect(pace.opening(at: start) == start + .milliseconds(500))
        #expect(pace.opening(at: start + .seconds(3)) == start + .seconds(3))
        #expect(FetchPace(cap: .kilobits(1)).chunk == 16_384 && FetchPace(cap: .kilobits(1_000_000)).chunk == 262_144)
        var free = FetchPace(cap: nil)
        free.fetched(262_144, from: start)
        #expect(free.chunk == 262_144 && free.opening(at: start) == start)
    }

    @Test("over a line that breaks again and again less is asked for at once, and more again once it comes")
    func brokenLine() {
        var pace = FetchPace(cap: nil)
        var asked: [Int] = []
        for _ in 0..<6 {
            asked.append(pace.chunk)
            pace.lost()
        }
        #expect(asked == [262_144, 131_072, 65_536, 32_768, 16_384, 16_384])
        // The end of a file says nothing of the line.
        pace.fetched(100, from: start)
        #expect(pace.chunk == 16_384)
        for _ in 0..<5 { pace.fetched(pace.chunk, from: start) }
        #expect(pace.chunk == 262_144)
        var capped = FetchPace(cap: .kilobits(800))
        for _ in 0..<2 { capped.lost() }
        #expect(capped.chunk == 65_536)
    }

    @Test("what failed is tried again after 5 s doubling to 10 min, less up to half")
    func retries() {
        var retry = Retry()
        let seconds = (0..<9).map { _ in
            retry.failed(jitter: 0, at: start)
            return retry.until.map { ($0 - start).components.seconds }
        }
        #expect(seconds == [5, 10, 20, 40, 80, 160, 320, 600, 600])
        retry.failed(jitter: 0.5, at: start)
        #expect(retry.until == start + .seconds(450))
    }

    @Test("a baseline holds names that fit on a line, and 32 of them")
    func baseline() {
        let names = ["b", "a", "b", "", "two\nlines", String(repeating: "x", count: 101)]
        #expect(Baseline(inputs: names).inputs == ["a", "b"])
        #expect(Baseline(links: (0..<100).map { "wwan\($0)" }).links.count == 32)
    }

    @Test("a journal is read as it was written, in each phase, and in no other form")
    func journal() throws {
        let factory = try Factory()
        let manifest = try factory.manifest(.good, Factory.new)
        let release = TrustedRelease(manifest: manifest, signer: [UInt8](repeating: 4, count: 32))
        let idle = UpdateJournal(active: .b, installed: Factory.old)
        let accepted = idle.accepting(UpdateJournal.Offer(manifest: manifest, urgency: .now), ReleaseMark(release))
        let switching = accepted.switching(keeping: Baseline(inputs: ["camera 1"], links: ["eth0", "wwan0"]))
        let committed = switching.committed()
        #expect(committed.active == .a && committed.previous == Factory.old && committed.baseline == Baseline())
        let journals = [
            idle, accepted, accepted.entering(.fetching), accepted.entering(.staged), switching, switching.entering(.proving(start: 2)),
            switching.reverting("it was\nodd"), switching.reverting("it was odd").reverted(), committed, committed.entering(.returning),
            committed.returned(), idle.ended(String(repeating: "ä", count: 300)),
        ]
        for journal in journals {
            let bytes = journal.bytes
            #expect(try UpdateJournal(bytes: bytes) == journal)
            #expect(throws: ReleaseFault.self) { try UpdateJournal(bytes: bytes + [0x0A]) }
            for end in stride(from: 0, to: bytes.count, by: 3) {
                // A line of a file less is another manifest.
                if let other = try? UpdateJournal(bytes: Array(bytes[..<end])) { #expect(other.bytes == Array(bytes[..<end])) }
            }
            #expect(throws: ReleaseFault.self) { try UpdateJournal(bytes: Array(bytes.dropLast())) }
            for index in stride(from: 0, to: bytes.count, by: 5) {
                var changed = bytes
                changed[index] ^= 1
                if let other = try? UpdateJournal(bytes: changed) { #expect(other.bytes == changed) }
            }
        }
        #expect(switching.reverting("x").reverted().failed == [ReleaseMark(release).digest])
        #expect(throws: ReleaseFault.self) { try UpdateJournal(bytes: idle.entering(.staged).bytes) }
    }

    @Test("lists of keys are kept over starts; one that the card has damaged ends the way along them")
    func keys() throws {
        let board = try Board(try Factory())
        let keys = try (1...4).map { try Ed25519PrivateKey(seed: [UInt8](repeating: 100 + UInt8($0), count: 32)) }
        // Each has a root of its own, which has signed the next one too.
        let lists = try (1...3).map { number in
            let list = try KeyList(
                number: number, roots: [keys[number - 1].publicKey], releases: [.init(key: keys[3].publicKey, end: Int64(number))])
            return try SignedText(list.bytes, by: Array(keys[max(0, number - 2)..<number]))
        }
        #expect(try board.folder.trust(shipped: lists[0]).keys.number == 1)
        for number in [2, 3] { try board.folder.keep(lists[number - 1], number: number) }
        #expect(try board.folder.trust(shipped: lists[0]).keys.releases.first?.end == 3)
        #expect(try board.folder.trust(shipped: lists[2]).keys.number == 3)
        board.disk.spoil("/board/keys.3")
        #expect(try board.folder.trust(shipped: lists[0]).keys.number == 2)
        board.disk.spoil("/board/keys.2")
        #expect(try board.folder.trust(shipped: lists[0]).keys.number == 1)
    }

    @Test("slots on the system's own disk: fetched, checked, sealed, switched to and back")
    func systemDisk() throws {
        let factory = try Factory()
        let root = FileManager.default.temporaryDirectory.appendingPathComponent("strata-slots-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: root) }
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(atPath: root + "/current", withDestinationPath: "slots/a")
        let folder = SlotFolder(root, on: SystemDisk(), product: .agent, machine: factory.machine)
        try folder.prepare()
        try folder.prepare()
        #expect(try folder.linked() == .a && folder.journal() == nil)
        let manifest = try factory.manifest(.good, Factory.new)
        // Not even by mistake.
        #expect(folder.carryOut(.clear(.a)) != .done)
        #expect(folder.carryOut(.clear(.b)) == .done)
        for file in manifest.files {
            let bytes = try #require(factory.contents(.good, Factory.new)[file.path])
            #expect(folder.carryOut(.measure(file, .b)) == .bytes(0))
            if !bytes.isEmpty {
                #expect(folder.append(bytes.map { $0 ^ 1 }, to: file, in: .b) == .bytes(bytes.count))
                #expect(folder.carryOut(.check(file, .b)) == .mismatch)
                #expect(folder.append(Array(bytes.prefix(7)), to: file, in: .b) == .bytes(7))
                #expect(folder.carryOut(.measure(file, .b)) == .bytes(7))
                #expect(folder.append(Array(bytes.dropFirst(7)), to: file, in: .b) == .bytes(bytes.count - 7))
            }
            #expect(folder.carryOut(.check(file, .b)) == .done)
            #expect(folder.carryOut(.measure(file, .b)) == .bytes(bytes.count))
            #expect(folder.carryOut(.check(file, .b)) == .done)
        }
        #expect(folder.carryOut(.inspect(.b, digest: nil)) == .mismatch)
        #expect(folder.carryOut(.seal(.b, manifest)) == .done)
        // By its program a board without a clock knows what time it is at least: when that was built, not when it was fetched.
        #expect(FileTree.writtenAt(root + "/slots/b/bin/strata-agent") == manifest.released)
        // The agent is another user than the updater, and finds its version there.
        #expect(try FileTree.look(root + "/slots/b/.release") == .file(bytes: manifest.bytes.count, mode: 0o644))
        #expect(folder.carryOut(.inspect(.b, digest: nil)) == .done)
        #expect(folder.carryOut(.inspect(.b, digest: [UInt8](repeating: 0, count: 32))) == .mismatch)
        for slot in [Slot.b, .b, .a, .b] {
            #expect(folder.carryOut(.point(slot)) == .done)
            #expect(try folder.linked() == slot)
        }
        #expect(FileManager.default.isExecutableFile(atPath: root + "/current/bin/strata-agent"))
        #expect(ReleaseHome.version(of: root + "/slots/b/bin/strata-agent") == Factory.new)
        let journal = UpdateJournal(active: .b, installed: Factory.new)
        #expect(folder.carryOut(.store(journal)) == .done)
        #expect(try folder.journal() == journal)
        #expect(try FileManager.default.contentsOfDirectory(atPath: root).sorted() == ["current", "journal", "other", "slots"])
    }

    @Test("what an agent says is read as it was written, and nothing else is read")
    func reportText() throws {
        let said = report(7)
        let (read, number) = try AgentReport.read(said.bytes(number: 3))
        #expect(read == said && number == 3)
        let text = String(decoding: said.bytes(number: 3), as: UTF8.self)
        for (old, new) in [
            ("control yes", "control Yes"), ("number 3", "number 03"), ("link eth0", "link eth0\nlink eth0"), ("process 7", "process -7"),
            ("version 1.4.0", "version 1.4"), ("link eth0\n", "link eth0\nmore 1\n"), ("report 1", "report 2"),
        ] {
            let spoiled = text.replacingOccurrences(of: old, with: new)
            #expect(spoiled != text && (try? AgentReport.read(Array(spoiled.utf8))) == nil, "\(new)")
        }
    }

    @Test("a report lies in a file that is replaced as a whole")
    func reportFile() throws {
        let folder = FileManager.default.temporaryDirectory.path + "/strata-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let file = ReportFile(in: folder)
        let isThere = try file.read() != nil
        #expect(!isThere)
        for number in 1...2 {
            try file.write(report(9), number: number)
            let read = try #require(try file.read())
            #expect(read.report == report(9) && read.number == number)
        }
        try Data("strata agent report 1\n".utf8).write(to: URL(fileURLWithPath: file.path))
        #expect(throws: ReleaseFault.self) { try file.read() }
    }

    @Test("what came with the installation is the first version, with a manifest of its own, and the way back leads there; once is enough")
    func laid() throws {
        let factory = try Factory()
        let disk = PowerDisk()
        try disk.change(.makeFolder(Factory.root))
        try disk.change(.append([UInt8](repeating: 7, count: 600_000), to: "/agent"))
        let folder = SlotFolder(Factory.root, on: disk, product: .agent, machine: factory.machine)
        for version in [Factory.old, Factory.new] { try folder.lay("/agent", as: "strata-agent", version, built: 1_700_000_000) }
        #expect(try folder.linked() == .a && folder.manifest(in: .a)?.version == Factory.old)
        #expect(folder.carryOut(.inspect(.a, digest: nil)) == .done)
        #expect(try folder.manifest(in: .b) == nil)
        #expect(try folder.manifest(in: .a)?.released == 1_700_000_000)
    }

    @Test("where the link that counts is gone, it is what the journal says, and no version is lost for the installation's")
    func linkIsGone() throws {
        var board = try Board(try Factory())
        try board.offer(.good)
        try board.run()
        try board.disk.change(.append([7], to: "/agent"))
        try board.disk.change(.remove("/board/current"))
        try board.folder.lay("/agent", as: "strata-agent", ReleaseVersion(0, 1, 0), built: 0)
        #expect(try board.linkedVersion() == Factory.new)
        // Into a slot that is not whole nothing leads.
        board.disk.spoil("/board/slots/b/bin/strata-agent")
        try board.disk.change(.remove("/board/current"))
        try board.folder.lay("/agent", as: "strata-agent", ReleaseVersion(0, 1, 0), built: 0)
        let journal = try board.folder.journal()
        #expect(try board.linkedVersion() == ReleaseVersion(0, 1, 0) && journal == nil)
    }
}
