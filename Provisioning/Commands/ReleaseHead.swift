import Glibc
import Releases

/// What the command line says of a release, apart from its files.
struct ReleaseHead {
    let version: ReleaseVersion
    let sequence: Int64
    let channel: ReleaseChannel
    let minimum: ReleaseVersion
    /// Unix seconds.
    let expires: Int64
    let migrations: [Int]
    let breaking: [String]
    let notes: [String]

    init(_ arguments: inout Arguments) throws {
        version = try Self.version(try arguments.required("version"), "--version")
        minimum = try Self.version(try arguments.required("minimum"), "--minimum")
        guard let sequence = try arguments.integer("sequence", in: 1...Int(ReleaseManifest.sequenceLimit)) else {
            throw Arguments.Fault("--sequence is missing: one more than the last release of any channel had")
        }
        self.sequence = Int64(sequence)
        let name = try arguments.required("channel")
        guard let channel = ReleaseChannel(rawValue: name) else {
            let names = ReleaseChannel.allCases.map(\.rawValue).joined(separator: ", ")
            throw Arguments.Fault("--channel is '\(name)'; expected one of \(names)")
        }
        self.channel = channel
        expires = try UTCDay.seconds(of: try arguments.required("expires"), "--expires")
        migrations = try arguments.all("migration").map { text in
            guard let number = Int(text) else { throw Arguments.Fault("--migration is '\(text)'; expected a number") }
            return number
        }
        breaking = arguments.all("breaking")
        let page = try arguments.optional("notes").map(Console.text(of:)) ?? ""
        notes = page.split(whereSeparator: \.isNewline).map(String.init)
    }

    private static func version(_ text: String, _ option: String) throws -> ReleaseVersion {
        guard let version = ReleaseVersion(text) else { throw Arguments.Fault("\(option) is '\(text)'; expected a version such as 1.4.0") }
        return version
    }
}

/// A day on the command line.
enum UTCDay {
    /// Its beginning in UTC, in Unix seconds.
    ///
    /// - Parameter option: what it was given for, for people.
    static func seconds(of text: String, _ option: String) throws -> Int64 {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false).map { Int32($0) }
        guard text.utf8.count == 10, parts.count == 3, let year = parts[0], let month = parts[1], let day = parts[2], year >= 1970 else {
            throw fault(text, option)
        }
        var date = tm()
        (date.tm_year, date.tm_mon, date.tm_mday) = (year - 1900, month - 1, day)
        let seconds = timegm(&date)
        // timegm(3) makes the 31st of April the 1st of May.
        guard seconds >= 0, date.tm_year == year - 1900, date.tm_mon == month - 1, date.tm_mday == day else { throw fault(text, option) }
        return Int64(seconds)
    }

    private static func fault(_ text: String, _ option: String) -> Arguments.Fault {
        Arguments.Fault("\(option) has the day '\(text)'; expected one such as 2027-01-31, which begins in UTC")
    }
}
