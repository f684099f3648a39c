import Foundation
import Links
import Posix
import Releases
import Support
import Testing
import Updating

@testable import Session

@Suite("What the updater is told of the agent") struct ToldUpdaterTests {
    private func settings(_ folder: String, version: String = "1.4.0") -> SessionSettings {
        SessionSettings(
            runtimeFolder: folder, stateFolder: folder, mediaFolder: nil, links: LinkPolicy(allow: []), trace: nil, version: version)
    }

    @Test("is what it is, another time each time, and by another process after a start")
    func told() throws {
        let folder = try TemporaryFolder()
        var processes: Set<UInt64> = []
        for start in 0..<2 {
            var told = ToldUpdater(settings(folder.path))
            for number in 1...2 {
                let fault = told.tell(
                    isBroadcasting: start == 1, isControlReached: number == 2, inputs: ["test", "v4l2:1"], links: ["wwan0", "eth0"])
                #expect(fault == nil)
                let (report, written) = try #require(try ReportFile(in: folder.path).read())
                #expect(written == number && report.version == ReleaseVersion(1, 4, 0))
                #expect(report.isBroadcasting == (start == 1) && report.isControlReached == (number == 2))
                #expect(report.openInputs == ["test", "v4l2:1"] && report.liveLinks == ["eth0", "wwan0"])
                processes.insert(report.process)
            }
        }
        #expect(processes.count == 2)
    }

    @Test("a folder that is not there is said once, and again after it was there")
    func missing() throws {
        let folder = try TemporaryFolder()
        let place = folder["run"]
        var told = ToldUpdater(settings(place, version: "no version"))
        func fault() -> SystemError? { told.tell(isBroadcasting: false, isControlReached: false, inputs: [], links: []) }
        let first = fault()
        let second = fault()
        #expect(first?.code == ENOENT && second == nil)
        _ = try folder.makeFolder("run")
        let healed = fault()
        #expect(healed == nil)
        #expect(try ReportFile(in: place).read()?.report.version == ReleaseVersion(0, 0, 0))
        try FileManager.default.removeItem(atPath: place)
        let again = fault()
        #expect(again != nil)
    }
}
