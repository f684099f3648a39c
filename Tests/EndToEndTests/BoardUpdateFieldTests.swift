import Crypto
import Foundation
import Posix
import Support
import Testing

/// A board that is updated over links of the field, which end.
struct BoardUpdateFieldTests {
    @Test(
        "a link that goes dark in the middle of a download is left for another, and what has come is not fetched again",
        .enabled(if: ProcessInfo.processInfo.environment["STRATA_SOAK"] != nil, "takes two minutes: STRATA_SOAK=1"))
    func darkLink() async throws {
        try await inStudio { studio in
            let workshop = try ReleaseWorkshop(studio.stage)
            let owner = Visitor(server: studio.owner.server, loop: try Loop(name: "visitor"))
            #expect(try await owner.signIn("owner@example.org", studio.installation.ownerPassword).status == 200)
            let links = (0..<Studio.links.count).map { studio.network.interface($0) }
            let board = try await UpdatedBoard(
                "field", on: studio.stage, studio.installation, owner: owner, keys: try workshop.keys(), cap: 1000, links: links,
                inside: studio.field)
            let ballast = randomBytes(2_500_000)
            try workshop.publish("1.1.0", ["strata-agent": StandIn.good.program("1.1.0", links: links), "share/ballast": ballast])
            let rollout = try await board.roll("1.1.0")
            let updater = try await board.start()
            try await eventually(within: .seconds(60), "it fetches") { board.phase == "fetching" }
            try await Task.sleep(for: .seconds(4))
            let part = "\(board.root)/slots/b/.part-\(Hex.encode(SHA256.hash(ballast)))"
            let before = try #require(try FileManager.default.attributesOfItem(atPath: part)[.size] as? Int)
            for link in 0..<2 { studio.network.setBlackout(link, isDark: true) }
            try await updater.line(containing: "control is not reached", within: .seconds(150))
            let after = try #require(try FileManager.default.attributesOfItem(atPath: part)[.size] as? Int)
            #expect(before > 0 && after >= before && after < ballast.count, "\(before), \(after)")
            #expect(try await board.fate(in: rollout, within: 240).fate == "installed")
        }
    }
}
