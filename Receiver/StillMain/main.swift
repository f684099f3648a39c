import Glibc
import Posix
import Stills

// strata-still h264|h265 <KEYFRAME >JPEG
//
// One key frame of a stream whose sender may be hostile, and then the end: the receiver starts one of these for each picture.
// It has nothing but its two files from before the first foreign byte reaches a decoder.

guard CommandLine.arguments.count == 2, let coding = Still.Coding(rawValue: CommandLine.arguments[1]) else {
    print("usage: strata-still h264|h265 <KEYFRAME >JPEG")
    exit(64)
}

func input() -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: Still.inputBytes + 1)
    var have = 0
    while have < bytes.count {
        let count = bytes.withUnsafeMutableBytes { read(STDIN_FILENO, $0.baseAddress.map { $0 + have }, $0.count - have) }
        if count < 0 && errno == EINTR { continue }
        guard count >= 0 else { return nil }
        if count == 0 { break }
        have += count
    }
    return have <= Still.inputBytes ? Array(bytes.prefix(have)) : nil
}

func output(_ bytes: [UInt8]) -> Bool {
    var written = 0
    while written < bytes.count {
        let count = bytes.withUnsafeBytes { write(STDOUT_FILENO, $0.baseAddress.map { $0 + written }, bytes.count - written) }
        if count < 0 && errno == EINTR { continue }
        guard count > 0 else { return false }
        written += count
    }
    return true
}

// Media goes first. Where a unit's filter forbids it, it goes on as it is.
_ = nice(10)
do {
    // A picture of 4096x2304 takes 14 MB, twice that with more than eight bits, and a decoder holds two or three.
    try confine(Bounds(memoryBytes: 192 << 20, processorSeconds: 1, fileBytes: Still.bytes))
} catch {
    exit(70)
}
// 1: no picture can be made of it.
guard let bytes = input(), let file = Still.jpeg(of: bytes, coding), output(file) else { _exit(1) }
_exit(0)
