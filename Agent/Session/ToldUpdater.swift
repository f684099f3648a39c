import Posix
import Releases
import Updating

/// What the updater is told of this agent, in a file of the runtime folder.
struct ToldUpdater {
    private let file: ReportFile
    private let version: ReleaseVersion
    /// Another one for each start.
    private let process = UInt64.random(in: 0...UInt64(Int64.max))
    private var number = 0
    private var hasFailed = false

    /// Two that are late in a row do not count as silence (Agent/Updating).
    static let interval = Duration.seconds(5)

    init(_ settings: SessionSettings) {
        file = ReportFile(in: settings.runtimeFolder)
        version = ReleaseVersion(settings.version) ?? ReleaseVersion(0, 0, 0)
    }

    /// - Returns: why it cannot be told, the first time in a row.
    mutating func tell(isBroadcasting: Bool, isControlReached: Bool, inputs: [String], links: [String]) -> SystemError? {
        number += 1
        let report = AgentReport(
            version: version, process: process, isBroadcasting: isBroadcasting, isControlReached: isControlReached,
            openInputs: Set(inputs), liveLinks: Set(links))
        do throws(SystemError) {
            try file.write(report, number: number)
            hasFailed = false
            return nil
        } catch {
            defer { hasFailed = true }
            return hasFailed ? nil : error
        }
    }
}
