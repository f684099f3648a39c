import Foundation
import Support
import Testing

/// What control says and does at its start where its database is not as it was left.
@Suite(.serialized, .unlessStolen)
struct StartTests {
    @Test("a damaged database is refused with its reason and the copies there are, left as it is, and replaced by one of them")
    func damaged() async throws {
        try await atFrontDesk { desk in
            let owner = try await desk.owner()
            #expect(try await add("kept", owner).status == 201)
            try await desk.installation.program("control").stop()
            let state = desk.stage.folder["control"]
            let (path, copy) = ("\(state)/strata.db", "strata.db.before-1.\(milliseconds)")
            try FileManager.default.copyItem(atPath: path, toPath: "\(state)/\(copy)")
            let bytes = Data(repeating: 0xA5, count: 65_536)
            try bytes.write(to: URL(fileURLWithPath: path))
            let said = try await refusedStart(desk)
            #expect(said.contains("\(path) is damaged") && said.contains(copy), "\(said)")
            #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == bytes)
            let restored = try await runTool(
                Places.program("strata-control"), ["restore", "--config", desk.stage.folder["control.conf"], "--copy", copy])
            #expect(restored.text.hasPrefix("restored \(copy)"))
            try await desk.installation.startControl()
            #expect(try await names(owner) == ["kept"])
        }
    }

    @Test("where another program has locked the database, a running control refuses changes until it is free, and a start says so and ends")
    func locked() async throws {
        try await atFrontDesk { desk in
            let owner = try await desk.owner()
            let first = try await lock(desk)
            let refused = try await add("refused", owner)
            #expect(refused.status == 503 && refused.description.contains("another program has locked"), "\(refused)")
            try await first.stop()
            #expect(try await add("kept", owner).status == 201)
            try await desk.installation.program("control").stop()
            let second = try await lock(desk)
            let said = try await refusedStart(desk)
            #expect(said.contains("another program has locked"), "\(said)")
            try await second.stop()
            try await desk.installation.startControl()
            #expect(try await names(owner) == ["kept"])
        }
    }

    @Test(
        "on a full disk a start that needs room says so and ends; one after a kill has all that was stored, and does its work once there is room"
    )
    func full() async throws {
        try await onStage { stage in
            let disk = try await SmallDisk(at: stage.folder.makeFolder("control"), kibibytes: 16384)
            do {
                var settings = Installation.Settings()
                settings.hasPool = false
                try await starts(try await FrontDesk(on: stage, settings), disk)
                await stage.clear()
                try await disk.remove()
            } catch {
                try? await disk.remove()  // What went wrong first is told.
                throw error
            }
        }
    }

    private func starts(_ desk: FrontDesk, _ disk: SmallDisk) async throws {
        let owner = try await desk.owner()
        #expect(try await add("kept", owner).status == 201)
        try await desk.installation.program("control").stop()
        try disk.fill()
        let said = try await refusedStart(desk)
        #expect(said.contains("the disk of") && said.contains("is full"), "\(said)")
        disk.free()
        try await desk.installation.startControl()
        #expect(try await names(owner) == ["kept"])
        try await eventually(within: .seconds(10), "the cleanup of this start is done") {
            try await sqlite(desk, "SELECT count(*) FROM jobs WHERE kind = 'cleanup' AND finished_at IS NULL AND run_at <= \(milliseconds)")
                == "0"
        }

        try disk.fill()
        let stored = try await addUntilRefused(owner)
        try await desk.installation.program("control").kill9()
        let killed = milliseconds
        let control = try await desk.installation.startControl()
        try await control.line(containing: "the last run did not close its database", within: .seconds(1))
        #expect(try await names(owner) == stored)
        disk.free()
        try await eventually(within: .seconds(30), "the cleanup of the start on a full disk is done") {
            try await sqlite(
                desk, "SELECT count(*) FROM jobs WHERE kind = 'cleanup' AND outcome = 'done' AND finished_at >= \(killed)") != "0"
        }
        #expect(try await add("there is room", owner).status == 201)
    }

    /// The log of the database has room of its own for some.
    private func addUntilRefused(_ owner: Visitor) async throws -> Set<String> {
        var stored: Set = ["kept"]
        for number in 0..<150 {
            let answer = try await add("more \(number)", owner)
            guard answer.status == 201 else {
                #expect(answer.status == 503, "\(answer)")
                return stored
            }
            stored.insert("more \(number)")
        }
        throw SupportFailure("a full disk took 150 destinations")
    }

    // MARK: Parts

    private var milliseconds: Int64 { Int64(Date.now.timeIntervalSince1970 * 1000) }

    private func add(_ name: String, _ owner: Visitor) async throws -> Reply {
        try await owner.post("/destinations", #"{"name":"\#(name)","preset":"twitch","secret":"k"}"#)
    }

    private func names(_ owner: Visitor) async throws -> Set<String> {
        Set(try await owner.get("/destinations").items().compactMap { $0["name"] as? String })
    }

    /// Starts control, which ends by itself.
    /// - Returns: what it said.
    private func refusedStart(_ desk: FrontDesk) async throws -> String {
        let control = try desk.stage.start("strata-control", ["--config", desk.stage.folder["control.conf"]])
        #expect(try await control.end(within: .seconds(20)) == 1, "\(control.tail)")
        return control.lines.joined(separator: "\n")
    }

    /// A program that holds the database's lock until it is stopped.
    private func lock(_ desk: FrontDesk) async throws -> RunningProgram {
        let script = """
            import sqlite3, sys, time
            database = sqlite3.connect(sys.argv[1], timeout=5, isolation_level=None)
            database.execute("BEGIN IMMEDIATE")
            print("it is locked", flush=True)
            time.sleep(600)
            """
        let program = try desk.stage.start("python3", ["-c", script, desk.stage.folder["control/strata.db"]])
        try await program.line(containing: "it is locked")
        return program
    }
}
