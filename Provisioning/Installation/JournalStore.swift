import FoundationEssentials

/// Where a journal is kept: what was saved is what is loaded next, whatever happens between the two.
package struct JournalStore: Sendable {
    /// nil where there is none yet.
    private let read: @Sendable () throws -> [UInt8]?
    /// Returns once the bytes are on the disk, all of them or those before them.
    private let write: @Sendable ([UInt8]) throws -> Void

    package init(read: @escaping @Sendable () throws -> [UInt8]?, write: @escaping @Sendable ([UInt8]) throws -> Void) {
        self.read = read
        self.write = write
    }

    package enum Fault: Error, Sendable, CustomStringConvertible {
        case unreadable(String)
        case notKept(String)

        package var description: String {
            switch self {
            case .unreadable(let reason):
                "the journal of what was made here cannot be read, and nothing was changed: \(reason)"
            case .notKept(let reason): "the journal of what was made here cannot be written, and nothing more was done: \(reason)"
            }
        }
    }

    /// - Throws: `Fault.unreadable`, also for what is no journal: to begin anew would forget what has to be taken back.
    package func load() throws(Fault) -> Journal {
        do {
            guard let bytes = try read() else { return Journal() }
            return try JSONDecoder().decode(Journal.self, from: Data(bytes))
        } catch {
            throw .unreadable("\(error)")
        }
    }

    func save(_ journal: Journal) throws(Fault) {
        do {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            try write(Array(try encoder.encode(journal)) + [UInt8(ascii: "\n")])
        } catch {
            throw .notKept("\(error)")
        }
    }
}
