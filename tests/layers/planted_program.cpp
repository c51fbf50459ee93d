#include <QByteArray>

int betweenAnswer();
int main(int argc, char** argv) { return QByteArray(argv[0]).size() + argc == 0 ? betweenAnswer() : 0; }
