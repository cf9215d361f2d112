/* Gunzip.java - java.util.zip.GZIPInputStream: MODE FILE, to stdout.
 * file: over a FileInputStream. 0: over a stream whose available() says 0, as
 * InputStream's own does, and those of many network streams. 1: says 1. */
import java.io.FileInputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.zip.GZIPInputStream;

class Gunzip {
    static class Says extends FilterInputStream {
        final int available;
        Says(InputStream in, String word) {
            super(in);
            available = Integer.parseInt(word);
        }
        @Override public int available() { return available; }
    }

    public static void main(String[] words) throws IOException {
        InputStream in = new FileInputStream(words[1]);
        if (!words[0].equals("file"))
            in = new Says(in, words[0]);
        new GZIPInputStream(in).transferTo(System.out);
        System.out.flush();
    }
}
