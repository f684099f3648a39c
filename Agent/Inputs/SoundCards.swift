import Glibc

/// ALSA's capture devices, from the kernel's own text. Source: Documentation/sound/designs/procfile.rst of the kernel.
enum SoundCards {
    /// A PCM that records.
    struct Capture: Equatable {
        var card: Int
        var device: Int
        /// The card's id, `[A-Za-z0-9_]`: given by the driver and stable where the numbers are not.
        var cardID: String
        /// The card's long name and the PCM's, for a person.
        var name: String
    }

    /// Devices of this machine; none where it has no ALSA.
    static func all(root: String = "/proc/asound") -> [Capture] {
        parse(cards: text(of: "\(root)/cards"), devices: text(of: "\(root)/pcm"))
    }

    /// - Parameters:
    ///   - cards: `/proc/asound/cards`: ` 1 [C920           ]: USB-Audio - HD Pro Webcam C920`, then a line of detail.
    ///   - devices: `/proc/asound/pcm`: `01-00: USB Audio : USB Audio : capture 1`.
    static func parse(cards: String, devices: String) -> [Capture] {
        let names = cardNames(cards)
        return devices.split(separator: "\n").compactMap { line -> Capture? in
            let fields = line.split(separator: ":", omittingEmptySubsequences: false).map { trimmed($0) }
            guard let numbers = fields.first?.split(separator: "-"), numbers.count == 2, let card = Int(numbers[0]),
                let device = Int(numbers[1]), fields.contains(where: { $0.hasPrefix("capture ") })
            else { return nil }
            let known = names[card]
            let detail = fields.count > 2 ? fields[2] : ""
            let name = [known?.name ?? "sound card \(card)", detail].filter { !$0.isEmpty }.joined(separator: ": ")
            return Capture(card: card, device: device, cardID: known?.id ?? "card\(card)", name: name)
        }
    }

    private static func cardNames(_ text: String) -> [Int: (id: String, name: String)] {
        var names: [Int: (id: String, name: String)] = [:]
        for line in text.split(separator: "\n") {
            guard let open = line.firstIndex(of: "["), let close = line.firstIndex(of: "]"), open < close,
                let number = Int(trimmed(line[..<open]))
            else { continue }
            let id = trimmed(line[line.index(after: open)..<close])
            let isPlain = !id.isEmpty && id.utf8.allSatisfy { isAlphanumeric($0) || $0 == UInt8(ascii: "_") }
            let rest = line[line.index(after: close)...]
            let name = rest.suffix(after: " - ").map(trimmed) ?? id
            names[number] = (isPlain ? id : "card\(number)", name)
        }
        return names
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
    }

    private static func trimmed(_ text: Substring) -> String {
        String(text.drop { $0 == " " || $0 == "\t" }.reversed().drop { $0 == " " || $0 == "\t" }.reversed())
    }

    /// The whole of a small kernel file; empty where there is none.
    private static func text(of path: String) -> String {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return "" }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 64 * 1024)
        var count = 0
        while count < bytes.count {
            let read = bytes.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress.map { $0 + count }, $0.count - count) }
            guard read > 0 else { break }
            count += read
        }
        return String(decoding: bytes.prefix(count), as: UTF8.self)
    }
}

extension Substring {
    /// What follows the first occurrence of `text`; nil where there is none.
    fileprivate func suffix(after text: String) -> Substring? {
        indices.first { self[$0...].hasPrefix(text) }.map { self[$0...].dropFirst(text.count) }
    }
}
