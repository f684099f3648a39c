import Posix
import Service

/// Where the parts of a server come from.
package struct SiteSource: Sendable {
    package struct Fault: Error, Hashable, Sendable, CustomStringConvertible {
        package let description: String
    }

    private let programFolder: String
    private let unitFolder: String
    private let dashboardFolder: String
    let sysusersFile: String
    let tmpfilesFile: String
    /// Whether this is what was installed before, which is not installed anew.
    let isInstalled: Bool
    /// Paths of the web application's files below its folder.
    let dashboard: [String]
    /// Debian packages that the programs need.
    let packages: [String]
    private let sysusers: String

    package static let programs = [
        "strata-control", "strata-pool", "strata-receiver", "strata-still", "strata-slate", "strata-sfu", "strata-provision",
    ]
    package static let units = [
        "strata-control.service", "strata-pool.service", "strata-backup.service", "strata-backup.timer", "strata-certificate@.service",
        "strata-certificate@.timer",
    ]
    /// Of the updater: no update replaces them in the step in which it replaces the others.
    package static let updaterUnits = ["strata-server-update.service", "strata-server-update.path"]

    /// What `ci/bundle` makes: a folder with `bin`, `systemd`, `dashboard` and `packages`.
    ///
    /// - Throws: `Fault` for a folder that is none.
    package init(_ folder: String) throws(Fault) {
        programFolder = "\(folder)/bin"
        unitFolder = "\(folder)/systemd"
        dashboardFolder = "\(folder)/dashboard"
        sysusersFile = "\(folder)/systemd/strata.sysusers"
        tmpfilesFile = "\(folder)/systemd/strata.tmpfiles"
        isInstalled = false
        do {
            dashboard = try Self.files(of: "\(folder)/dashboard")
            packages = try ProgramContext.readText("\(folder)/packages").split(whereSeparator: \.isWhitespace).map(String.init)
            sysusers = try ProgramContext.readText("\(folder)/systemd/strata.sysusers")
            for program in Self.programs {
                guard try FileWork.look("\(folder)/bin/\(program)")?.kind == .file else { throw Fault(description: "no bin/\(program)") }
            }
        } catch {
            throw Fault(description: "\(folder) is not what ci/bundle makes, name that by --from: \(error)")
        }
        guard packages.allSatisfy(Self.isPackage), dashboard.contains("index.html") else {
            throw Fault(
                description: "\(folder) is not what ci/bundle makes, name that by --from: its packages or its dashboard are not whole")
        }
    }

    /// What lies where it was installed: for looking at a server and for removing it, when what it came from is gone.
    package init(installedOn machine: HostMachine) {
        programFolder = machine.place(SitePaths.programs)
        unitFolder = machine.place(SitePaths.units)
        dashboardFolder = machine.place(SitePaths.dashboard)
        sysusersFile = machine.place(SitePaths.sysusers)
        tmpfilesFile = machine.place(SitePaths.tmpfiles)
        isInstalled = true
        packages = []
        // try?: what is not there any more is told by its step, and a removal has nothing to do for it.
        dashboard = (try? Self.files(of: dashboardFolder)) ?? []
        sysusers = (try? ProgramContext.readText(sysusersFile)) ?? ""
    }

    private static func files(of dashboard: String) throws -> [String] {
        try Folder(dashboard).files() + Folder("\(dashboard)/assets").files().map { "assets/\($0)" }
    }

    func program(_ name: String) -> String { "\(programFolder)/\(name)" }
    func unit(_ name: String) -> String { "\(unitFolder)/\(name)" }
    func dashboardFile(_ name: String) -> String { "\(dashboardFolder)/\(name)" }

    /// Source: Debian Policy, 5.6.7. It becomes a word of apt's command line.
    private static func isPackage(_ name: String) -> Bool {
        guard let first = name.utf8.first, (2...100).contains(name.utf8.count), first != UInt8(ascii: "-") else { return false }
        return name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
            default: "+-.".utf8.contains(byte)
            }
        }
    }

    /// The users, and who of them belongs to which other group. Source: sysusers.d(5).
    var accounts: (users: [String], members: [(user: String, group: String)]) {
        var users: [String] = []
        var members: [(user: String, group: String)] = []
        for line in sysusers.split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count >= 3 else { continue }
            if words[0] == "u" { users.append(String(words[1])) }
            if words[0] == "m" { members.append((String(words[1]), String(words[2]))) }
        }
        return (users, members)
    }
}
